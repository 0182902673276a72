//! What runs on the server, each as one step: scripts in Lua, and what their answers mean. Sends nothing.
//!
//! Two keys belong to an entry, which a cluster keeps together because both have its name in braces. One is the entry, with the
//! lifetime of what is in it. The other is a hash that outlives it:
//!
//! | field | what it is |
//! |---|---|
//! | `fence` | the largest fencing token that was given out |
//! | `owner`, `until` | who holds the lease, and until when by the server's clock, in milliseconds since 1970 |
//! | `saved` | the fencing token of the last writer, by which those who wait see that there is something new |
//! | `renewing` | the fencing token of a holder that began to use the refresh token and has not ended |
//!
//! A fencing token is the time in microseconds where that is more than the last one plus one, so that a server that lost its
//! memory gives out no old ones. Lua's numbers hold it exactly until the year 2255.

use std::time::Duration;

use redis::{Cmd, cmd};
use sha2::{Digest as _, Sha256};

/// The names of the two keys on the server.
#[derive(Clone, Debug)]
pub(super) struct EntryNames {
    pub(super) entry: String,
    pub(super) lease: String,
}

impl EntryNames {
    /// Names those of an entry's key, which may have any length, by its hash.
    pub(super) fn of(prefix: &str, key: &str) -> Self {
        let entry = format!("{prefix}{{{}}}", hex::encode(Sha256::digest(key)));
        Self { lease: format!("{entry}:lease"), entry }
    }

    /// Reads the entry up to this many bytes: an empty one is none.
    pub(super) fn read(&self, limit: usize) -> Cmd {
        let mut command = cmd("GETRANGE");
        command.arg(&self.entry).arg(0).arg(limit - 1);
        command
    }

    /// Takes the lease. The answer is an [`Acquired`].
    pub(super) fn acquire(&self, owner: &str, lease: Duration) -> Cmd {
        self.script(ACQUIRE, |command| {
            command.arg(owner).arg(millis(lease)).arg(millis(LEASE_KEPT));
        })
    }

    /// Prolongs the lease. The answer is 1, or 0 if it is somebody else's.
    pub(super) fn renew(&self, owner: &str, lease: Duration) -> Cmd {
        self.script(RENEW, |command| {
            command.arg(owner).arg(millis(lease));
        })
    }

    /// Ends the lease, if it is this owner's.
    pub(super) fn release(&self, owner: &str) -> Cmd {
        self.script(RELEASE, |command| {
            command.arg(owner);
        })
    }

    /// Notes or unnotes that the refresh token is being used. The answer is 1, or 0 for a fencing token that is not the last.
    pub(super) fn mark(&self, fence: u64, under_way: bool) -> Cmd {
        self.script(MARK, |command| {
            command.arg(fence).arg(u8::from(under_way)).arg(millis(LEASE_KEPT));
        })
    }

    /// Replaces the entry. The answer is 1, or 0 for a fencing token that is not the last.
    pub(super) fn save(&self, fence: u64, entry: &[u8], lifetime: Duration) -> Cmd {
        self.script(SAVE, |command| {
            let kept = LEASE_KEPT.max(lifetime);
            command.arg(fence).arg(entry).arg(millis(lifetime)).arg(millis(kept));
        })
    }

    /// Removes the entry, and makes all fencing tokens old.
    pub(super) fn clear(&self) -> Cmd {
        self.script(CLEAR, |command| {
            command.arg(millis(LEASE_KEPT));
        })
    }

    fn script(&self, script: &str, arguments: impl FnOnce(&mut Cmd)) -> Cmd {
        let mut command = cmd("EVAL");
        command.arg(script).arg(2).arg(&self.entry).arg(&self.lease);
        arguments(&mut command);
        command
    }
}

/// The answer to an attempt to take the lease: the fencing token, or 0 if it is somebody else's; then whether a renewal was
/// interrupted; then the last writer's fencing token. As texts: a server's numbers may be shorter than ours.
pub(super) type Acquired = (u64, u8, u64);

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(MOST_MILLIS).clamp(1, MOST_MILLIS)
}

/// The hash is kept at least so long after its last change, and as long as the entry: as long as there is something to overwrite.
const LEASE_KEPT: Duration = Duration::from_secs(24 * 3600);
/// A hundred years: a server refuses what is near the end of its numbers.
const MOST_MILLIS: u64 = 100 * 365 * 24 * 3600 * 1000;

const ACQUIRE: &str = r"
local lease = redis.call('HMGET', KEYS[2], 'owner', 'until', 'fence', 'saved', 'renewing')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local saved = lease[4] or '0'
if lease[1] and lease[1] ~= ARGV[1] and (tonumber(lease[2]) or 0) > now then
  return {'0', '0', saved}
end
local fence = string.format('%.0f', math.max((tonumber(lease[3]) or 0) + 1, time[1] * 1000000 + time[2]))
redis.call('HSET', KEYS[2], 'owner', ARGV[1], 'until', string.format('%.0f', now + ARGV[2]), 'fence', fence)
if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[2], ARGV[3]) end
return {fence, lease[5] and '1' or '0', saved}
";

const RENEW: &str = r"
if redis.call('HGET', KEYS[2], 'owner') ~= ARGV[1] then return 0 end
local time = redis.call('TIME')
redis.call('HSET', KEYS[2], 'until', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2]))
return 1
";

const RELEASE: &str = r"
if redis.call('HGET', KEYS[2], 'owner') == ARGV[1] then redis.call('HDEL', KEYS[2], 'owner', 'until') end
return 1
";

const MARK: &str = r"
if tonumber(ARGV[1]) < (tonumber(redis.call('HGET', KEYS[2], 'fence')) or 0) then return 0 end
if ARGV[2] == '1' then redis.call('HSET', KEYS[2], 'renewing', ARGV[1]) else redis.call('HDEL', KEYS[2], 'renewing') end
if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[2], ARGV[3]) end
return 1
";

const SAVE: &str = r"
if tonumber(ARGV[1]) < (tonumber(redis.call('HGET', KEYS[2], 'fence')) or 0) then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('HSET', KEYS[2], 'fence', ARGV[1], 'saved', ARGV[1])
redis.call('HDEL', KEYS[2], 'renewing')
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 1
";

const CLEAR: &str = r"
redis.call('DEL', KEYS[1])
local time = redis.call('TIME')
local last = tonumber(redis.call('HGET', KEYS[2], 'fence')) or 0
redis.call('HSET', KEYS[2], 'fence', string.format('%.0f', math.max(last + 1, time[1] * 1000000 + time[2])))
redis.call('HDEL', KEYS[2], 'renewing')
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return 1
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_on_the_server() {
        // By `printf key | sha256sum`.
        let hash = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683";
        let names = EntryNames::of("fleet:", "key");
        assert_eq!(names.entry, format!("fleet:{{{hash}}}"));
        assert_eq!(names.lease, format!("fleet:{{{hash}}}:lease"));
        let read = names.read(65537).get_packed_command();
        let expected = format!("*4\r\n$8\r\nGETRANGE\r\n$72\r\nfleet:{{{hash}}}\r\n$1\r\n0\r\n$5\r\n65536\r\n");
        assert_eq!(String::from_utf8_lossy(&read), expected);
    }

    #[test]
    fn times_a_server_takes() {
        for (duration, expected) in [
            (Duration::ZERO, 1),
            (Duration::from_micros(999), 1),
            (Duration::from_secs(10), 10_000),
            (Duration::MAX, 3_153_600_000_000),
        ] {
            assert_eq!(millis(duration), expected);
        }
    }
}
