//! The shape of types that hold checked headers. Knows no header itself.

/// Declares such a type, with a method for each header: its name and the most bytes of its value.
macro_rules! header_context {
    ($(#[$of_type:meta])* $type:ident { $($(#[$of_method:meta])* $method:ident = $name:ident, $max:expr;)* }) => {
        $(#[$of_type])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $type(http::HeaderMap);

        impl $type {
            $(
                $(#[$of_method])*
                ///
                /// # Errors
                /// If the value is too long, or no header value.
                pub fn $method(mut self, value: &str) -> Result<Self, $crate::Error> {
                    let value = agentcore_core::header::value(&agentcore_core::header::$name, value, $max)?;
                    self.0.insert(agentcore_core::header::$name, value);
                    Ok(self)
                }
            )*

            pub(crate) fn headers(&self) -> &http::HeaderMap {
                &self.0
            }
        }
    };
}

pub(crate) use header_context;
