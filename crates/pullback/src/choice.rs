//! Choices that have a name and settings: activations, costs, optimizers, schedules, scalings, ...
//!
//! `choices!` takes one list, in which an item has a variant, its documentation, its settings with default, bound
//! and documentation, and a name; it makes the enum, names, texts, file forms and checks, so that flags, files, help
//! and code cannot differ. What is common to all lists is the trait [`Choices`].
//!
//! As a text, a choice is `name`, `name:number` or `name:setting=number,...`. In a file it is that text, or, of lists
//! made `as table`, `{ kind = "name", setting = number }`.
//!
//! ```
//! use pullback::train::Optimizer;
//!
//! let mut optimizer: Optimizer = "adam:beta_1=0.8".parse()?;
//! optimizer.set("epsilon", 0.01)?;
//! assert_eq!(optimizer.to_string(), "adam:beta_1=0.8,epsilon=0.01");
//! assert!(optimizer.set("beta_2", 1.0).is_err());
//!
//! let sgd = &Optimizer::CHOICES[0];
//! assert_eq!((sgd.name, sgd.doc, sgd.fields.len()), ("sgd", "Plain gradient descent.", 0));
//! # Ok::<(), pullback::Error>(())
//! ```

use crate::decimal;
use crate::error::{Error, Result};
use pullback_kernels::Real;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{SerializeStruct, Serializer};
use std::fmt::{self, Write};
use std::marker::PhantomData;

/// One item of a list of choices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// Its name in flags and files.
    pub name: &'static str,
    /// Other names that mean exactly the same: `mse`.
    pub also: &'static [&'static str],
    /// What it is.
    pub doc: &'static str,
    /// Its settings.
    pub fields: &'static [Field],
}

/// A setting of a choice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Field {
    /// Its name in files.
    pub name: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// Its value where none is given.
    pub default: f64,
    /// What it must be.
    pub bound: Bound,
    /// Whether it is a whole number.
    pub is_whole: bool,
}

/// What a number must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bound {
    /// Neither infinite nor NaN.
    Finite,
    /// Above 0, and not infinite.
    Positive,
    /// From 0 on, and not infinite.
    AtLeastZero,
    /// At least 0 and below 1.
    Share,
    /// From 0 to 1, both allowed.
    UpToOne,
    /// Between 0 and 1, neither allowed.
    Inside,
    /// Above 0 and at most 1.
    Factor,
    /// At least 1.
    Count,
    /// Above 1 and below 2.
    BetweenOneAndTwo,
}

impl Bound {
    /// What a number must be, to follow "it must be".
    pub fn describe(self) -> &'static str {
        match self {
            Bound::Finite => "a finite number",
            Bound::Positive => "a positive number",
            Bound::AtLeastZero => "zero or a positive number",
            Bound::Share => "at least 0 and below 1",
            Bound::UpToOne => "between 0 and 1",
            Bound::Inside => "above 0 and below 1",
            Bound::Factor => "above 0 and at most 1",
            Bound::Count => "at least 1",
            Bound::BetweenOneAndTwo => "above 1 and below 2",
        }
    }

    fn holds(self, value: f64) -> bool {
        value.is_finite()
            && match self {
                Bound::Finite => true,
                Bound::Positive => value > 0.0,
                Bound::AtLeastZero => value >= 0.0,
                Bound::Share => (0.0..1.0).contains(&value),
                Bound::UpToOne => (0.0..=1.0).contains(&value),
                Bound::Inside => value > 0.0 && value < 1.0,
                Bound::Factor => value > 0.0 && value <= 1.0,
                Bound::Count => value >= 1.0,
                Bound::BetweenOneAndTwo => value > 1.0 && value < 2.0,
            }
    }

    /// Refuses a number that is not so, or is not so any more when it is rounded to the numbers that training
    /// computes with: `1e-50` is zero in f32, and `0.9999999999999999` is one.
    ///
    /// # Errors
    /// Names the number, as `what`, and its bound.
    pub fn check<T: Real>(self, what: &str, value: f64) -> Result<()> {
        let wrong = |reason: &str| {
            Err(Error::configuration(format!("{what} is {}{reason}", shown(value)))
                .help(format!("it must be {}", self.describe())))
        };
        if !self.holds(value) {
            return wrong("");
        }
        let (rounded, kind) = (T::from_f64(value).to_f64(), T::NAME.to_ascii_lowercase());
        // Quotients are taken by divisors from here on; see `Real::over_positive`.
        let least = if T::NAME == f32::NAME { 2.0_f64.powi(-125) } else { 2.0_f64.powi(-1021) };
        if !rounded.is_finite() {
            return wrong(&format!(", too large for a number of {kind}"));
        }
        if value != 0.0 && rounded.abs() < least {
            return wrong(&format!(", too small for a number of {kind}"));
        }
        if !self.holds(rounded) {
            return wrong(&format!(", which is {} as a number of {kind}", shown(rounded)));
        }
        Ok(())
    }
}

/// A number as a user would write it.
fn shown(value: f64) -> String {
    match value.abs() {
        0.0 | 1e-4..1e16 => value.to_string(),
        size if size.is_finite() => format!("{value:e}"),
        _ => value.to_string(),
    }
}

/// The documentation of an item. The page never shows it, and need not be sent it.
pub(crate) const fn told(doc: &'static str) -> &'static str {
    if cfg!(target_family = "wasm") { "" } else { doc.trim_ascii() }
}

/// The type of a setting.
pub trait Number: Copy {
    /// Whether it is a whole number.
    const IS_WHOLE: bool;
    /// Its value.
    fn to_f64(self) -> f64;
    /// The nearest of this type.
    fn from_f64(value: f64) -> Self;
}

impl Number for f64 {
    const IS_WHOLE: bool = false;
    fn to_f64(self) -> f64 {
        self
    }
    fn from_f64(value: f64) -> Self {
        value
    }
}

impl Number for usize {
    const IS_WHOLE: bool = true;
    fn to_f64(self) -> f64 {
        self as f64
    }
    fn from_f64(value: f64) -> Self {
        value as usize
    }
}

/// A list of choices, made by `choices!`.
pub trait Choices: Copy + Sized {
    /// What is chosen, for messages: `optimizer`.
    const WHAT: &'static str;
    /// All items, in the order of the list.
    const LIST: &'static [Choice];

    /// The name of the chosen item.
    fn own_name(&self) -> &'static str;

    /// The values of its settings, in their order.
    fn values(&self) -> Vec<f64>;

    /// The item of a name with these values, which are as many as it has settings.
    fn build(name: &str, values: &[f64]) -> Option<Self>;

    /// The item in the list.
    fn item(&self) -> &'static Choice {
        let name = self.own_name();
        Self::LIST.iter().find(|item| item.name == name).expect("each item is in its list")
    }

    /// The item of a name, with its default settings. Capitals do not matter, nor does `-` for `_`.
    ///
    /// # Errors
    /// If there is none.
    fn by_name(name: &str) -> Result<Self> {
        let plain = name.to_ascii_lowercase().replace('-', "_");
        let is_called = |item: &&Choice| item.name == plain || item.also.contains(&plain.as_str());
        Self::LIST
            .iter()
            .find(is_called)
            .and_then(|item| {
                Self::build(item.name, &item.fields.iter().map(|field| field.default).collect::<Vec<_>>())
            })
            .ok_or_else(|| Error::unknown_name(Self::WHAT, name, Self::LIST.iter().map(|item| item.name)))
    }

    /// The value of a setting, if the item has it.
    fn setting(&self, field: &str) -> Option<f64> {
        let at = self.item().fields.iter().position(|own| own.name == field)?;
        Some(self.values()[at])
    }

    /// Changes a setting.
    ///
    /// # Errors
    /// If the item has no such setting, or the value is out of its bound.
    fn change(&mut self, field: &str, value: f64) -> Result<()> {
        let item = self.item();
        let Some(at) = item.fields.iter().position(|own| own.name == field) else {
            let what = format!("the {} {} has no {field}", Self::WHAT, item.name);
            return Err(Error::configuration(what).unknown(field, item.fields.iter().map(|own| own.name)));
        };
        if item.fields[at].is_whole && !(value.fract() == 0.0 && (0.0..=2.0_f64.powi(53)).contains(&value)) {
            return Err(Error::configuration(format!("{field} of {} is {}", item.name, shown(value)))
                .help("it must be a whole number"));
        }
        let mut values = self.values();
        values[at] = value;
        *self = Self::build(item.name, &values).expect("the name of an item");
        item.fields[at].bound.check::<f64>(&format!("{field} of {}", item.name), value)
    }

    /// Refuses settings out of their bounds, also once they are rounded to numbers of `T`.
    ///
    /// # Errors
    /// Names the first such setting and its bound.
    fn check_in<T: Real>(&self) -> Result<()> {
        let item = self.item();
        item.fields.iter().zip(self.values()).try_for_each(|(field, value)| {
            field.bound.check::<T>(&format!("{} of {}", field.name, item.name), value)
        })
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// If the name or a setting is unknown, or a number is none or out of its bound.
    fn parse_text(text: &str) -> Result<Self> {
        let (name, settings) = match text.split_once(':') {
            Some((name, settings)) => (name, Some(settings)),
            None => (text, None),
        };
        let mut choice = Self::by_name(name)?;
        let fields = choice.item().fields;
        for (at, setting) in settings.into_iter().flat_map(|settings| settings.split(',')).enumerate() {
            let (field, number) = match (setting.split_once('='), fields.get(at)) {
                (Some((field, number)), _) => (field, number),
                (None, Some(field)) => (field.name, setting),
                (None, None) => {
                    let help = match fields.len() {
                        0 => format!("write `{name}` alone"),
                        _ => format!("it takes {}", names(fields)),
                    };
                    let what = format!("the {} {name} takes no `{setting}`", Self::WHAT);
                    return Err(Error::configuration(what).help(help));
                }
            };
            let number = decimal::number(number).ok_or_else(|| {
                Error::configuration(format!("`{number}` is no {field} of {name}")).help("write a number")
            })?;
            choice.change(field, number)?;
        }
        Ok(choice)
    }

    /// Writes the text form: the name, then settings; a lone one is written always, others where they are not the
    /// default.
    fn write_text(&self, f: &mut fmt::Formatter<'_>, is_table: bool) -> fmt::Result {
        let item = self.item();
        f.write_str(item.name)?;
        let mut join = ':';
        for (field, value) in item.fields.iter().zip(self.values()) {
            if !is_table {
                write!(f, "{join}{value}")?;
            } else if value != field.default {
                write!(f, "{join}{}={value}", field.name)?;
            } else {
                continue;
            }
            join = ',';
        }
        Ok(())
    }

    /// Writes the table form.
    ///
    /// # Errors
    /// The serializer's.
    fn write_table<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let item = self.item();
        let mut table = to.serialize_struct(Self::WHAT, 1 + item.fields.len())?;
        table.serialize_field("kind", item.name)?;
        for (field, value) in item.fields.iter().zip(self.values()) {
            if field.is_whole {
                table.serialize_field(field.name, &(value as u64))?;
            } else {
                table.serialize_field(field.name, &value)?;
            }
        }
        table.end()
    }

    /// Reads the text form out of a file.
    ///
    /// # Errors
    /// As [`Choices::parse_text`].
    fn read_text<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse_text(&String::deserialize(from)?).map_err(|error| D::Error::custom(expected(&error)))
    }

    /// Reads the table form.
    ///
    /// # Errors
    /// As [`Choices::parse_text`].
    fn read_table<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Table(PhantomData))
    }
}

/// The names of settings, for a message.
fn names(fields: &[Field]) -> String {
    let mut names = String::new();
    for (at, field) in fields.iter().enumerate() {
        let _ = write!(names, "{}{}", if at == 0 { "" } else { ", " }, field.name);
    }
    names
}

/// An error in the words in which serde tells of unknown names, so that readers of files find the known ones.
fn expected(error: &Error) -> String {
    match error.known() {
        [] => error.one_line(),
        known => format!("{error}, expected one of `{}`", known.join("`, `")),
    }
}

/// Reads `{ kind = "name", setting = number }`, whose keys may stand in any order.
struct Table<C>(PhantomData<C>);

impl<'de, C: Choices> Visitor<'de> for Table<C> {
    type Value = C;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a table with the kind of {}", C::WHAT)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<C, A::Error> {
        let mut kind: Option<String> = None;
        let mut settings: Vec<(String, f64)> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == "kind" {
                kind = Some(map.next_value()?);
            } else {
                settings.push((key, map.next_value()?));
            }
        }
        let kind = kind.ok_or_else(|| A::Error::missing_field("kind"))?;
        let mut choice = C::by_name(&kind).map_err(|error| A::Error::custom(expected(&error)))?;
        for (field, value) in settings {
            choice.change(&field, value).map_err(|error| match error.known() {
                [] => A::Error::custom(error.one_line()),
                known => A::Error::custom(format!(
                    "unknown field `{field}`, expected one of `kind`, `{}`",
                    known.join("`, `")
                )),
            })?;
        }
        Ok(choice)
    }
}

/// Makes an enum of choices from one list: `"what" Type as text { ... }` or `as table`, then for each item its
/// documentation, variant, settings (`(name: type = default, bound)` for a lone one, else in braces), name and other
/// names.
macro_rules! choices {
    (
        $(#[$about:meta])*
        $what:literal $type:ident as $form:ident $(, default $default:literal)? {
            $(
                $(#[doc = $doc:literal])*
                $variant:ident
                $((
                    $(#[doc = $number_doc:literal])*
                    $number:ident: $number_type:ty = $number_default:literal, $number_bound:expr
                ))?
                $({ $(
                    $(#[doc = $field_doc:literal])*
                    $field:ident: $field_type:ty = $field_default:literal, $field_bound:expr;
                )* })?
                = $name:literal $(| $also:literal)*
            ),* $(,)?
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub enum $type {
            $(
                $(#[doc = $doc])*
                $variant
                $(($(#[doc = $number_doc])* $number_type))?
                $({ $($(#[doc = $field_doc])* $field: $field_type),* })?
            ),*
        }

        impl $crate::choice::Choices for $type {
            const WHAT: &'static str = $what;
            const LIST: &'static [$crate::choice::Choice] = &[$($crate::choice::Choice {
                name: $name,
                also: &[$($also),*],
                doc: $crate::choice::told(concat!($($doc),*)),
                fields: &[
                    $($crate::choice::Field {
                        name: stringify!($number),
                        doc: $crate::choice::told(concat!($($number_doc),*)),
                        default: $number_default as f64,
                        bound: $number_bound,
                        is_whole: <$number_type as $crate::choice::Number>::IS_WHOLE,
                    })?
                    $($($crate::choice::Field {
                        name: stringify!($field),
                        doc: $crate::choice::told(concat!($($field_doc),*)),
                        default: $field_default as f64,
                        bound: $field_bound,
                        is_whole: <$field_type as $crate::choice::Number>::IS_WHOLE,
                    }),*)?
                ],
            }),*];

            fn own_name(&self) -> &'static str {
                match self {
                    $($type::$variant { .. } => $name),*
                }
            }

            fn values(&self) -> Vec<f64> {
                match *self {
                    $($type::$variant $(($number))? $({ $($field),* })? => vec![
                        $($crate::choice::Number::to_f64($number))?
                        $($($crate::choice::Number::to_f64($field)),*)?
                    ]),*
                }
            }

            #[allow(unused_mut, unused_variables, reason = "lists without settings take no value")]
            fn build(name: &str, values: &[f64]) -> Option<Self> {
                let mut values = values.iter().copied();
                Some(match name {
                    $($name => $type::$variant
                        $((<$number_type as $crate::choice::Number>::from_f64(values.next()?)))?
                        $({ $($field: <$field_type as $crate::choice::Number>::from_f64(values.next()?)),* })?,)*
                    _ => return None,
                })
            }
        }

        impl $type {
            /// All names, in the order of the list.
            pub const NAMES: &[&str] = &[$($name),*];
            /// All items, with what they are and their settings.
            pub const CHOICES: &[$crate::choice::Choice] = <Self as $crate::choice::Choices>::LIST;

            /// The name, without settings.
            pub fn name(&self) -> &'static str {
                $crate::choice::Choices::own_name(self)
            }

            /// The item of a name, with its default settings.
            ///
            /// # Errors
            /// If there is none; the error knows all names and the nearest.
            pub fn from_name(name: &str) -> $crate::error::Result<Self> {
                $crate::choice::Choices::by_name(name)
            }

            /// The value of a setting, if there is one of that name.
            pub fn get(&self, field: &str) -> Option<f64> {
                $crate::choice::Choices::setting(self, field)
            }

            /// Changes a setting.
            ///
            /// # Errors
            /// If there is none of that name, or the value is out of its bound.
            pub fn set(&mut self, field: &str, value: f64) -> $crate::error::Result<()> {
                $crate::choice::Choices::change(self, field, value)
            }

            /// Refuses settings that are out of their bounds, also once they are rounded to numbers of `T`.
            ///
            /// # Errors
            /// Names the first such setting and its bound.
            pub fn check<T: $crate::Real>(&self) -> $crate::error::Result<()> {
                $crate::choice::Choices::check_in::<T>(self)
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::error::Error;
            fn from_str(text: &str) -> $crate::error::Result<Self> {
                $crate::choice::Choices::parse_text(text)
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::choice::Choices::write_text(self, f, stringify!($form) == "table")
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                $crate::choice::form!($form, to.collect_str(self), $crate::choice::Choices::write_table(self, to))
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $crate::choice::form!(
                    $form,
                    $crate::choice::Choices::read_text(from),
                    $crate::choice::Choices::read_table(from)
                )
            }
        }

        $(impl Default for $type {
            fn default() -> Self {
                Self::from_name($default).expect("the default is in the list")
            }
        })?
    };
}

/// The first for `text`, the second for `table`.
macro_rules! form {
    (text, $text:expr, $table:expr) => {
        $text
    };
    (table, $text:expr, $table:expr) => {
        $table
    };
}

pub(crate) use {choices, form};

#[cfg(test)]
mod tests {
    use super::{Bound, Choices};
    use crate::network::{Activation, Cost};
    use crate::train::{Optimizer, Shape};

    #[test]
    fn texts_and_tables_come_back() {
        fn check<C: Choices + std::fmt::Debug + PartialEq + std::str::FromStr + std::fmt::Display>() {
            for item in C::LIST {
                let mut choice = C::by_name(item.name).unwrap();
                assert!(!item.doc.is_empty() && !item.name.is_empty(), "{item:?}");
                for field in item.fields {
                    assert_eq!(choice.setting(field.name), Some(field.default));
                    field.bound.check::<f32>(field.name, field.default).unwrap();
                    let parts = [0.5, 0.9].map(|part| part * field.default);
                    let fits = |number: &f64| field.bound.check::<f32>(field.name, *number).is_ok();
                    let part = parts.into_iter().find(fits).unwrap();
                    let other = if field.is_whole { field.default + 1.0 } else { part };
                    choice.change(field.name, other).unwrap();
                    assert_eq!(choice.setting(field.name), Some(other));
                }
                assert_eq!(C::parse_text(&choice.to_string()).unwrap(), choice);
            }
        }
        check::<Activation>();
        check::<Cost>();
        check::<Optimizer>();
        check::<Shape>();
        for name in Optimizer::NAMES {
            let optimizer = Optimizer::from_name(name).unwrap();
            let table = serde_json::to_value(optimizer).unwrap();
            assert_eq!(serde_json::from_value::<Optimizer>(table).unwrap(), optimizer);
        }
    }

    #[test]
    fn files_keep_their_spelling() {
        let check = |optimizer: Optimizer, text: &str| {
            assert_eq!(serde_json::to_string(&optimizer).unwrap(), text);
            assert_eq!(serde_json::from_str::<Optimizer>(text).unwrap(), optimizer);
        };
        check(Optimizer::Sgd, r#"{"kind":"sgd"}"#);
        check(Optimizer::default(), r#"{"kind":"adam","beta_1":0.9,"beta_2":0.999,"epsilon":1e-8}"#);
        assert_eq!(
            serde_json::from_str::<Optimizer>(r#"{"beta_2":0.99,"kind":"adam"}"#).unwrap(),
            Optimizer::Adam { beta_1: 0.9, beta_2: 0.99, epsilon: 1e-8 }
        );
        let shape = Shape::Step { epochs: 10, factor: 0.1 };
        assert_eq!(serde_json::to_string(&shape).unwrap(), r#"{"kind":"step","epochs":10,"factor":0.1}"#);
        assert_eq!(serde_json::to_string(&Activation::LeakyRelu(0.2)).unwrap(), r#""leaky_relu:0.2""#);
        assert_eq!("huber".parse::<Cost>().unwrap(), Cost::Huber(1.0));
    }

    #[test]
    fn what_is_unknown_or_out_of_bounds_is_refused_by_name() {
        let refused = |text: &str, message: &str| {
            let error = serde_json::from_str::<Optimizer>(text).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        };
        refused(r#"{"kind":"adm"}"#, "there is no optimizer `adm`, expected one of `sgd`, `momentum`");
        refused(r#"{"kind":"adam","beta":1}"#, "unknown field `beta`, expected one of `kind`, `beta_1`");
        refused(
            r#"{"kind":"momentum","momentum":2}"#,
            "momentum of momentum is 2; it must be at least 0 and below 1",
        );
        refused("{}", "missing field `kind`");
        let error = "relu:1".parse::<Activation>().unwrap_err();
        assert_eq!(error.one_line(), "the activation relu takes no `1`; write `relu` alone");
        let error = "huber:0".parse::<Cost>().unwrap_err();
        assert_eq!(error.one_line(), "difference of huber is 0; it must be a positive number");
        let mut optimizer = Optimizer::default();
        assert_eq!(optimizer.set("momentum", 0.5).unwrap_err().what(), "the optimizer adam has no momentum");
        assert_eq!("adam:beta_1=0.8".parse::<Optimizer>().unwrap().get("beta_1"), Some(0.8));
    }

    #[test]
    fn bounds_hold_in_the_working_precision() {
        let what =
            |bound: Bound, value: f64| bound.check::<f32>("x", value).err().map(|error| error.to_string());
        assert_eq!(
            what(Bound::Share, 0.9999999999999999).unwrap(),
            "x is 0.9999999999999999, which is 1 as a number of f32"
        );
        assert_eq!(what(Bound::Positive, 1e-46).unwrap(), "x is 1e-46, too small for a number of f32");
        assert_eq!(what(Bound::AtLeastZero, 1e300).unwrap(), "x is 1e300, too large for a number of f32");
        assert_eq!(what(Bound::AtLeastZero, 0.0), None);
        assert!(Bound::Share.check::<f64>("x", 0.9999999999999999).is_ok());
        for (bound, low, high) in
            [(Bound::Inside, false, false), (Bound::Factor, false, true), (Bound::UpToOne, true, true)]
        {
            assert_eq!(bound.check::<f32>("x", 0.0).is_ok(), low, "{bound:?}");
            assert_eq!(bound.check::<f32>("x", 1.0).is_ok(), high, "{bound:?}");
        }
        assert!(what(Bound::Count, 0.0).is_some() && what(Bound::Finite, f64::NAN).is_some());
    }
}
