//! Whether standard input has something to read. Reads nothing of it.

/// Returns whether a byte of a file, a pipe or a socket is waiting on standard input. A terminal's and a device's are not counted:
/// nobody meant them for this program alone.
#[cfg(unix)]
pub(crate) fn is_waiting() -> bool {
    use rustix::fs::{FileType, fstat};
    let stdin = std::io::stdin();
    let Ok(stat) = fstat(&stdin) else { return false };
    let kind = FileType::from_raw_mode(stat.st_mode);
    let can_hold = matches!(kind, FileType::RegularFile | FileType::Fifo | FileType::Socket);
    can_hold && rustix::io::ioctl_fionread(&stdin).is_ok_and(|bytes| bytes > 0)
}

/// Returns whether a byte is waiting on standard input, which cannot be found out here.
#[cfg(not(unix))]
pub(crate) fn is_waiting() -> bool {
    false
}
