//! Deserialization of objects that an application passes in.

use std::{cell::RefCell, collections::BTreeMap};

use js_sys::{Error as JsError, Reflect};
use serde::{
    Deserializer,
    de::{DeserializeOwned, Visitor, value::MapDeserializer},
    forward_to_deserialize_any,
};
use serde_wasm_bindgen::Error;
use wasm_bindgen::{JsCast, JsValue};

/// Deserializes a struct from the properties of `object`, inherited ones included. Properties that the struct does not
/// name are ignored; so are those that are `null` or `undefined`, or whose getter throws. A primitive has no properties.
///
/// [`serde_wasm_bindgen::from_value`] refuses primitives, and it does not catch what a getter throws: such an exception
/// would skip the destructors of everything that is on the stack.
///
/// # Errors
/// The message of the first field that cannot be deserialized.
pub fn read<T: DeserializeOwned>(object: &JsValue) -> Result<T, String> {
    T::deserialize(PropertiesDeserializer(object)).map_err(|error| {
        let error: JsError = JsValue::from(error).unchecked_into();
        String::from(error.message())
    })
}

struct PropertiesDeserializer<'a>(&'a JsValue);

impl<'de> Deserializer<'de> for PropertiesDeserializer<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let properties = fields.iter().filter_map(|&field| {
            let value = Reflect::get(self.0, &property_name(field)).ok()?;
            let is_missing = value.is_undefined() || value.is_null();
            (!is_missing).then(|| (field, serde_wasm_bindgen::Deserializer::from(value)))
        });
        visitor.visit_map(MapDeserializer::new(properties))
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        serde_wasm_bindgen::Deserializer::from(self.0.clone()).deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Returns the name of a field as a string of JavaScript. Each is converted once: options may come with each message.
fn property_name(field: &'static str) -> JsValue {
    thread_local! {
        static NAMES: RefCell<BTreeMap<&'static str, JsValue>> = const { RefCell::new(BTreeMap::new()) };
    }
    NAMES.with_borrow_mut(|names| names.entry(field).or_insert_with(|| field.into()).clone())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Sample {
        first_name: Option<String>,
        count: u32,
    }

    fn sample(expression: &str) -> Result<Sample, String> {
        read(&js_sys::eval(expression).unwrap())
    }

    #[wasm_bindgen_test]
    fn properties_are_read_wherever_they_are_defined() {
        let ada = Sample { first_name: Some("ada".to_owned()), count: 2 };
        assert_eq!(sample("({ firstName: 'ada', count: 2, more: Symbol() })"), Ok(ada));
        let inherited = sample("new (class { get firstName() { return 'ada' } count = 2 })").unwrap();
        assert_eq!(inherited.first_name.as_deref(), Some("ada"));
    }

    #[wasm_bindgen_test]
    fn missing_properties_have_their_default() {
        for object in [
            "5",
            "'text'",
            "Symbol()",
            "({})",
            "({ firstName: null, count: undefined })",
            "({ get count() { throw 1 } })",
            "new Proxy({}, { get() { throw new Error('no') } })",
        ] {
            assert_eq!(sample(object), Ok(Sample::default()), "{object}");
        }
    }

    #[wasm_bindgen_test]
    fn a_wrong_type_is_an_error() {
        let words = sample("({ count: 'many' })").unwrap_err();
        assert!(words.starts_with("invalid type: string \"many\""), "{words}");
    }
}
