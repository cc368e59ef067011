//! Choices that are written as a name, or a name and a number: `relu`, `leaky_relu:0.2`.
//!
//! One spelling serves flags, files and Python keywords.

use crate::error::Error;

/// A name that is none of the choices; a number after it is left aside.
pub(super) fn unknown(what: &str, given: &str, known: &[&str]) -> Error {
    let name = given.split(':').next().unwrap_or_default();
    Error::configuration(format!("there is no {what} `{given}`")).unknown(name, known)
}

/// The error in the words in which serde tells of unknown names, so that its readers find the known ones.
pub(super) fn expected(error: &Error) -> String {
    format!("{error}, expected one of `{}`", error.known().join("`, `"))
}

/// Splits `name:number`. A number that cannot be read makes the name unknown as a whole.
pub(super) fn split(text: &str) -> Option<(&str, Option<f64>)> {
    match text.split_once(':') {
        None => Some((text, None)),
        Some((name, number)) => number.parse().ok().map(|number: f64| (name, Some(number))),
    }
}

/// Makes an enum whose values are names, some with a number that has a default.
macro_rules! named {
    (
        $(#[$about:meta])*
        $what:literal $type:ident {
            $($(#[$doc:meta])* $variant:ident $(($default:literal))? = $name:literal),* $(,)?
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum $type {
            $($(#[$doc])* $variant $(($crate::network::named::number!($default)))?),*
        }

        impl $type {
            /// All names, in the order of the list.
            pub const NAMES: &[&str] = &[$($name),*];

            /// The name, without its number.
            pub fn name(self) -> &'static str {
                match self {
                    $($type::$variant $(($crate::network::named::ignored!($default)))? => $name),*
                }
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::error::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let unknown = || $crate::network::named::unknown($what, text, Self::NAMES);
                let (name, number) = $crate::network::named::split(text).ok_or_else(unknown)?;
                match name {
                    $($name => $crate::network::named::read!(number, unknown, $type::$variant $(, $default)?),)*
                    _ => Err(unknown()),
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())?;
                match self {
                    $($type::$variant $(($crate::network::named::bound!(number, $default)))? => {
                        $($crate::network::named::show!(f, number, $default);)?
                    })*
                }
                Ok(())
            }
        }

        impl TryFrom<String> for $type {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                text.parse().map_err(|error| $crate::network::named::expected(&error))
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> String {
                value.to_string()
            }
        }
    };
}
macro_rules! number {
    ($default:literal) => {
        f64
    };
}
macro_rules! ignored {
    ($default:literal) => {
        _
    };
}
macro_rules! bound {
    ($number:ident, $default:literal) => {
        $number
    };
}
macro_rules! show {
    ($f:ident, $number:ident, $default:literal) => {
        write!($f, ":{}", $number)?
    };
}
macro_rules! read {
    ($number:ident, $unknown:ident, $type:ident::$variant:ident) => {
        if $number.is_none() { Ok($type::$variant) } else { Err($unknown()) }
    };
    ($number:ident, $unknown:ident, $type:ident::$variant:ident, $default:literal) => {
        Ok($type::$variant($number.unwrap_or($default)))
    };
}
pub(super) use {bound, ignored, named, number, read, show};
