//! A macro for the methods of builders that set one field each. Declares no type.

/// Declares such methods, each as `name(argument: Type) => field = value;`.
#[doc(hidden)]
#[macro_export]
macro_rules! setters {
    (
        impl $builder:ident $(<$generic:ident>)?:
        $($(#[$attribute:meta])* $name:ident($($argument:ident: $type:ty)?) => $($field:ident).+ = $value:expr;)*
    ) => {
        impl $(<$generic>)? $builder $(<$generic>)? {
            $(
                $(#[$attribute])*
                #[must_use]
                pub fn $name(mut self $(, $argument: $type)?) -> Self {
                    self.$($field).+ = $value;
                    self
                }
            )*
        }
    };
}
