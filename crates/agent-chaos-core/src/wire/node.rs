//! Plain data on its way out: whatever can be serialized becomes one type first.
//!
//! ```text
//! Profile, Report, … ─► Node ─┬─► JSON value ─► text
//!                             └─► objects of a page
//! ```
//!
//! Serde writes a function for each type and each form it is written in. With one form only, there is
//! one function for each type, and it does no more than name its fields.

use std::borrow::Cow;
use std::fmt;

use serde::ser::{self, Impossible, Serialize, SerializeMap as _, SerializeSeq as _};
use serde_json::{Number, Value};

/// Plain data: what JSON has, and numbers that JSON does not have.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Nothing.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number from 0 on.
    Whole(u64),
    /// A whole number below 0.
    Negative(i64),
    /// Any number; infinite or none at all, it is null in JSON.
    Real(f64),
    /// A text.
    Text(Cow<'static, str>),
    /// A list.
    List(Vec<Node>),
    /// Names and what belongs to them, in order.
    Fields(Vec<(Cow<'static, str>, Node)>),
}

impl Node {
    /// Plain data of any type.
    ///
    /// # Panics
    ///
    /// If it is not plain: if a name is no text, a variant carries data, or a struct has several fields
    /// without names.
    #[must_use]
    pub fn of(data: &(impl Serialize + ?Sized)) -> Self {
        let Ok(node) = data.serialize(Writer);
        node
    }
}

impl From<Node> for Value {
    fn from(node: Node) -> Self {
        match node {
            Node::Null => Self::Null,
            Node::Bool(value) => Self::Bool(value),
            Node::Whole(number) => number.into(),
            Node::Negative(number) => number.into(),
            Node::Real(number) => Number::from_f64(number).map_or(Self::Null, Self::Number),
            Node::Text(text) => Self::String(text.into_owned()),
            Node::List(items) => Self::Array(items.into_iter().map(Self::from).collect()),
            Node::Fields(fields) => {
                let fields = fields.into_iter();
                Self::Object(
                    fields
                        .map(|(name, node)| (name.into_owned(), node.into()))
                        .collect(),
                )
            }
        }
    }
}

impl Serialize for Node {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Whole(number) => serializer.serialize_u64(*number),
            Self::Negative(number) => serializer.serialize_i64(*number),
            Self::Real(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Fields(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, node) in fields {
                    map.serialize_entry(&**name, node)?;
                }
                map.end()
            }
        }
    }
}

/// There is no error, and no code that would hand one on.
#[derive(Debug)]
enum Never {}

impl fmt::Display for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl std::error::Error for Never {}

impl ser::Error for Never {
    fn custom<T: fmt::Display>(_: T) -> Self {
        not_plain()
    }
}

#[cold]
#[inline(never)]
fn not_plain() -> ! {
    panic!("not plain data")
}

struct Writer;

type Written = Result<Node, Never>;

impl ser::Serializer for Writer {
    type Ok = Node;
    type Error = Never;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = Impossible<Node, Never>;
    type SerializeTupleVariant = Impossible<Node, Never>;
    type SerializeMap = Fields;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Impossible<Node, Never>;

    fn serialize_bool(self, value: bool) -> Written {
        Ok(Node::Bool(value))
    }
    fn serialize_i8(self, number: i8) -> Written {
        self.serialize_i64(number.into())
    }
    fn serialize_i16(self, number: i16) -> Written {
        self.serialize_i64(number.into())
    }
    fn serialize_i32(self, number: i32) -> Written {
        self.serialize_i64(number.into())
    }
    fn serialize_i64(self, number: i64) -> Written {
        Ok(match u64::try_from(number) {
            Ok(number) => Node::Whole(number),
            Err(_) => Node::Negative(number),
        })
    }
    fn serialize_u8(self, number: u8) -> Written {
        self.serialize_u64(number.into())
    }
    fn serialize_u16(self, number: u16) -> Written {
        self.serialize_u64(number.into())
    }
    fn serialize_u32(self, number: u32) -> Written {
        self.serialize_u64(number.into())
    }
    fn serialize_u64(self, number: u64) -> Written {
        Ok(Node::Whole(number))
    }
    fn serialize_f32(self, number: f32) -> Written {
        self.serialize_f64(number.into())
    }
    fn serialize_f64(self, number: f64) -> Written {
        Ok(Node::Real(number))
    }
    fn serialize_char(self, character: char) -> Written {
        self.serialize_str(character.encode_utf8(&mut [0; 4]))
    }
    fn serialize_str(self, text: &str) -> Written {
        Ok(Node::Text(text.to_owned().into()))
    }
    fn serialize_bytes(self, bytes: &[u8]) -> Written {
        let items = bytes.iter().map(|&byte| Node::Whole(byte.into()));
        Ok(Node::List(items.collect()))
    }
    fn serialize_none(self) -> Written {
        Ok(Node::Null)
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Written {
        Ok(Node::Null)
    }
    fn serialize_unit_struct(self, _: &'static str) -> Written {
        Ok(Node::Null)
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Written {
        Ok(Node::Text(name.into()))
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Written {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Written {
        not_plain()
    }
    fn serialize_seq(self, length: Option<usize>) -> Result<List, Never> {
        Ok(List(Vec::with_capacity(length.unwrap_or(0))))
    }
    fn serialize_tuple(self, length: usize) -> Result<List, Never> {
        self.serialize_seq(Some(length))
    }
    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Never> {
        not_plain()
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Never> {
        not_plain()
    }
    fn serialize_map(self, length: Option<usize>) -> Result<Fields, Never> {
        Ok(Fields {
            fields: Vec::with_capacity(length.unwrap_or(0)),
            name: Cow::Borrowed(""),
        })
    }
    fn serialize_struct(self, _: &'static str, length: usize) -> Result<Fields, Never> {
        self.serialize_map(Some(length))
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Never> {
        not_plain()
    }
}

/// A list being written.
struct List(Vec<Node>);

impl List {
    #[inline(never)]
    fn push(&mut self, item: Node) -> Result<(), Never> {
        self.0.push(item);
        Ok(())
    }
}

impl ser::SerializeSeq for List {
    type Ok = Node;
    type Error = Never;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Never> {
        self.push(Node::of(item))
    }
    fn end(self) -> Written {
        Ok(Node::List(self.0))
    }
}

impl ser::SerializeTuple for List {
    type Ok = Node;
    type Error = Never;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Never> {
        self.push(Node::of(item))
    }
    fn end(self) -> Written {
        Ok(Node::List(self.0))
    }
}

/// Fields being written.
struct Fields {
    fields: Vec<(Cow<'static, str>, Node)>,
    /// Of the entry whose value is still to come.
    name: Cow<'static, str>,
}

impl Fields {
    #[inline(never)]
    fn push(&mut self, name: Cow<'static, str>, value: Node) -> Result<(), Never> {
        self.fields.push((name, value));
        Ok(())
    }

    #[inline(never)]
    fn push_field(&mut self, name: &'static str, value: Node) -> Result<(), Never> {
        self.fields.push((name.into(), value));
        Ok(())
    }
}

impl ser::SerializeMap for Fields {
    type Ok = Node;
    type Error = Never;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<(), Never> {
        let Node::Text(name) = Node::of(name) else {
            not_plain();
        };
        self.name = name;
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Never> {
        let name = std::mem::take(&mut self.name);
        self.push(name, Node::of(value))
    }
    fn end(self) -> Written {
        Ok(Node::Fields(self.fields))
    }
}

impl ser::SerializeStruct for Fields {
    type Ok = Node;
    type Error = Never;
    #[inline(never)]
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Never> {
        self.push_field(name, Node::of(value))
    }
    fn end(self) -> Written {
        Ok(Node::Fields(self.fields))
    }
}
