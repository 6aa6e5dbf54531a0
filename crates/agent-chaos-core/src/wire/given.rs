//! JSON on its way into the types of a profile.
//!
//! It has been checked against the schema by then, so that nothing is left to complain about: where
//! serde's own deserializers have words for each thing that could be wrong, in each type, this one has
//! none, and reads every type in one way only.

use std::fmt;

use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};
use serde_json::{Map, Value};

/// Reads a type from what the schema accepted for it.
pub(super) fn read<'a, T: Deserialize<'a>>(value: &'a Value) -> Option<T> {
    T::deserialize(Given(value)).ok()
}

/// Something that the schema should not have accepted.
#[derive(Debug)]
struct Unexpected;

impl fmt::Display for Unexpected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("something that the schema should not have accepted")
    }
}

impl std::error::Error for Unexpected {}

impl de::Error for Unexpected {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
    // As `custom`, without putting the words together that it would not look at.
    fn invalid_type(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self
    }
    fn invalid_value(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self
    }
    fn invalid_length(_: usize, _: &dyn de::Expected) -> Self {
        Self
    }
    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }
    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }
    fn missing_field(_: &'static str) -> Self {
        Self
    }
    fn duplicate_field(_: &'static str) -> Self {
        Self
    }
}

struct Given<'a>(&'a Value);

impl<'a> Given<'a> {
    #[inline(never)]
    fn whole(&self) -> Result<u64, Unexpected> {
        self.0.as_u64().ok_or(Unexpected)
    }

    #[inline(never)]
    fn number(&self) -> Result<f64, Unexpected> {
        self.0.as_f64().ok_or(Unexpected)
    }

    #[inline(never)]
    fn text(&self) -> Result<&'a str, Unexpected> {
        self.0.as_str().ok_or(Unexpected)
    }

    #[inline(never)]
    fn fields(&self) -> Result<&'a Map<String, Value>, Unexpected> {
        self.0.as_object().ok_or(Unexpected)
    }
}

/// Kinds that no field of a profile has.
macro_rules! none_of {
    ($($kind:ident($($what:ty),*))*) => {
        $(fn $kind<V: Visitor<'a>>(self, $(_: $what,)* _: V) -> Result<V::Value, Unexpected> {
            Err(Unexpected)
        })*
    };
}

/// Whole numbers; the type's own visitor sees to it that they fit.
macro_rules! whole {
    ($($kind:ident)*) => {
        $(fn $kind<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unexpected> {
            visitor.visit_u64(self.whole()?)
        })*
    };
}

impl<'a> de::Deserializer<'a> for Given<'a> {
    type Error = Unexpected;

    fn deserialize_bool<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unexpected> {
        visitor.visit_bool(self.0.as_bool().ok_or(Unexpected)?)
    }
    whole! { deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 }

    fn deserialize_f64<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unexpected> {
        visitor.visit_f64(self.number()?)
    }
    fn deserialize_string<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unexpected> {
        visitor.visit_str(self.text()?)
    }
    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unexpected> {
        if self.0.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }
    fn deserialize_seq<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unexpected> {
        visitor.visit_seq(Items(self.0.as_array().ok_or(Unexpected)?.iter()))
    }
    fn deserialize_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unexpected> {
        visitor.visit_map(Entries {
            fields: self.fields()?.iter(),
            value: self.0,
        })
    }
    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unexpected> {
        let name: StrDeserializer<'_, Unexpected> = self.text()?.into_deserializer();
        visitor.visit_enum(name)
    }

    none_of! {
        deserialize_any() deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64()
        deserialize_f32() deserialize_char() deserialize_str()
        deserialize_bytes() deserialize_byte_buf() deserialize_unit() deserialize_map()
        deserialize_identifier() deserialize_ignored_any() deserialize_unit_struct(&'static str)
        deserialize_newtype_struct(&'static str) deserialize_tuple(usize)
        deserialize_tuple_struct(&'static str, usize)
    }
}

struct Items<'a>(std::slice::Iter<'a, Value>);

impl<'a> de::SeqAccess<'a> for Items<'a> {
    type Error = Unexpected;

    fn next_element_seed<T: DeserializeSeed<'a>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Unexpected> {
        let item = self.0.next();
        item.map(|item| seed.deserialize(Given(item))).transpose()
    }
}

struct Entries<'a> {
    fields: serde_json::map::Iter<'a>,
    /// Of the field whose name was read last.
    value: &'a Value,
}

impl<'a> Entries<'a> {
    #[inline(never)]
    fn next_name(&mut self) -> Option<&'a str> {
        let (name, value) = self.fields.next()?;
        self.value = value;
        Some(name)
    }
}

impl<'a> de::MapAccess<'a> for Entries<'a> {
    type Error = Unexpected;

    fn next_key_seed<K: DeserializeSeed<'a>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Unexpected> {
        let name = self.next_name();
        name.map(|name| seed.deserialize(name.into_deserializer()))
            .transpose()
    }

    fn next_value_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<T::Value, Unexpected> {
        seed.deserialize(Given(self.value))
    }
}
