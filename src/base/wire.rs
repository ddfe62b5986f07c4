//! The binary form of values: small, exact, the same for the same value. Integers are varints (seven bits a byte, low
//! ones first), texts and byte strings have their length before them. Reading checks every length against what is
//! there before it allocates, and refuses what the writer would not have written.

use std::sync::Arc;

use super::{Digest, Map, Number, Sign, Value};

/// How deep values may be nested; what scripts return is held to the same.
const DEEPEST: u32 = 256;

/// Bytes that are no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// They end too early.
    #[error("the bytes end in the middle of a value")]
    Short,
    /// They go on after the end.
    #[error("there are bytes after the end")]
    Long,
    /// They say something that has no meaning.
    #[error("{0}")]
    Bad(&'static str),
}

/// Writes values one after the other.
#[derive(Debug, Default)]
pub struct Writer {
    /// What was written so far.
    pub bytes: Vec<u8>,
}

impl Writer {
    /// One byte.
    pub fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// A varint.
    pub fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    /// A byte string.
    pub fn slice(&mut self, slice: &[u8]) {
        self.number(slice.len() as u64);
        self.bytes.extend_from_slice(slice);
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.slice(text.as_bytes());
    }

    /// A text that may be absent.
    pub fn optional(&mut self, text: Option<&str>) {
        self.byte(u8::from(text.is_some()));
        if let Some(text) = text {
            self.text(text);
        }
    }

    /// A hash.
    pub fn digest(&mut self, digest: &Digest) {
        self.bytes.extend_from_slice(&digest.0);
    }

    /// A value. Numbers keep the form they were written in.
    pub fn value(&mut self, value: &Value) {
        match value {
            Value::Skip => self.byte(0),
            Value::Null => self.byte(1),
            Value::Bool(false) => self.byte(2),
            Value::Bool(true) => self.byte(3),
            Value::Number(number) => {
                self.byte(4);
                self.text(number.as_str());
            }
            Value::Text(text) => {
                self.byte(5);
                self.text(text);
            }
            Value::Sign(sign) => {
                self.byte(6);
                self.optional(sign.norm());
                self.text(sign.id());
                self.text(sign.payload());
            }
            Value::List(items) => {
                self.byte(7);
                self.number(items.len() as u64);
                items.iter().for_each(|item| self.value(item));
            }
            Value::Map(map) => {
                self.byte(8);
                self.number(map.len() as u64);
                for (key, value) in map.iter() {
                    self.text(key);
                    self.value(value);
                }
            }
        }
    }
}

/// Reads what a [`Writer`] wrote.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads from the beginning of some bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What was not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Says that everything must have been read.
    ///
    /// # Errors
    /// When there is more.
    pub fn end(&self) -> Result<(), WireError> {
        if self.rest.is_empty() { Ok(()) } else { Err(WireError::Long) }
    }

    /// So many bytes.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(WireError::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    /// One byte.
    ///
    /// # Errors
    /// When there is none.
    pub fn byte(&mut self) -> Result<u8, WireError> {
        let (byte, rest) = self.rest.split_first().ok_or(WireError::Short)?;
        self.rest = rest;
        Ok(*byte)
    }

    /// A truth value.
    ///
    /// # Errors
    /// When the byte is neither 0 nor 1.
    pub fn truth(&mut self) -> Result<bool, WireError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(WireError::Bad("a truth value is neither 0 nor 1")),
        }
    }

    /// A varint.
    ///
    /// # Errors
    /// When it ends too early or has more than 64 bits.
    pub fn number(&mut self) -> Result<u64, WireError> {
        let mut number = 0;
        for place in 0..10 {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if place == 9 && bits > 1 {
                break;
            }
            number |= bits << (7 * place);
            if byte < 0x80 {
                // Every number has one form, so that equal values have equal bytes.
                return if byte == 0 && place > 0 { break } else { Ok(number) };
            }
        }
        Err(WireError::Bad("a number is not in its shortest form"))
    }

    /// A varint of at most 32 bits.
    ///
    /// # Errors
    /// As [`Reader::number`].
    pub fn small(&mut self) -> Result<u32, WireError> {
        u32::try_from(self.number()?).map_err(|_| WireError::Bad("a number is too large"))
    }

    /// How many things follow, each of at least one byte.
    ///
    /// # Errors
    /// When there are fewer bytes left than that.
    pub fn count(&mut self) -> Result<usize, WireError> {
        let count = usize::try_from(self.number()?).map_err(|_| WireError::Short)?;
        if count > self.rest.len() { Err(WireError::Short) } else { Ok(count) }
    }

    /// A byte string.
    ///
    /// # Errors
    /// When it is longer than what is there.
    pub fn slice(&mut self) -> Result<&'a [u8], WireError> {
        let len = self.count()?;
        self.take(len)
    }

    /// A text.
    ///
    /// # Errors
    /// When it is not there, or not UTF-8.
    pub fn text(&mut self) -> Result<&'a str, WireError> {
        std::str::from_utf8(self.slice()?).map_err(|_| WireError::Bad("a text is not UTF-8"))
    }

    /// A text that may be absent.
    ///
    /// # Errors
    /// As [`Reader::text`].
    pub fn optional(&mut self) -> Result<Option<&'a str>, WireError> {
        Ok(if self.truth()? { Some(self.text()?) } else { None })
    }

    /// A hash.
    ///
    /// # Errors
    /// When there are fewer bytes.
    pub fn digest(&mut self) -> Result<Digest, WireError> {
        let bytes = self.take(Digest::LEN)?;
        bytes.try_into().map(Digest).map_err(|_| WireError::Short)
    }

    /// A value.
    ///
    /// # Errors
    /// When the bytes are none.
    pub fn value(&mut self) -> Result<Value, WireError> {
        self.nested(DEEPEST)
    }

    fn nested(&mut self, room: u32) -> Result<Value, WireError> {
        let room = room.checked_sub(1).ok_or(WireError::Bad("a value is nested too deep"))?;
        Ok(match self.byte()? {
            0 => Value::Skip,
            1 => Value::Null,
            2 => Value::Bool(false),
            3 => Value::Bool(true),
            4 => {
                let text = self.text()?;
                let number: serde_json::Number =
                    text.parse().map_err(|_| WireError::Bad("a number is no number"))?;
                Value::Number(Number::from(number))
            }
            5 => Value::Text(Arc::from(self.text()?)),
            6 => {
                let norm = self.optional()?;
                let (id, payload) = (self.text()?, self.text()?);
                let sign = Sign::new(norm, payload).map_err(|_| WireError::Bad("a sign has a bad norm"))?;
                Value::Sign(Arc::new(sign.with_id(id)))
            }
            7 => {
                let count = self.count()?;
                let items: Result<Vec<Value>, WireError> = (0..count).map(|_| self.nested(room)).collect();
                Value::List(Arc::from(items?))
            }
            8 => {
                let count = self.count()?;
                let mut map = Map::with_capacity(count);
                for _ in 0..count {
                    let key = self.text()?;
                    let value = self.nested(room)?;
                    if map.insert(Arc::from(key), value).is_some() {
                        return Err(WireError::Bad("a record has a key twice"));
                    }
                }
                Value::Map(Arc::new(map))
            }
            _ => return Err(WireError::Bad("a value of an unknown kind")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn bytes(value: &Value) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.value(value);
        writer.bytes
    }

    #[test]
    fn values_come_back_in_the_form_they_had() {
        let sign = Sign::new(Some("script_location"), "a.py").unwrap().with_id("a1b");
        let values = [
            Value::Skip,
            Value::Null,
            Value::from_data_json(&json!([1, "1", true, null, "%(no sign)", {"k": [], "": {}}])),
            Value::from_data_json(
                &serde_json::from_str("[1.50, 1e3, 123456789012345678901234567890]").unwrap(),
            ),
            Value::Sign(Arc::new(sign)),
            Value::from_plan_json(&json!(["%(9)", "%{truth value}(true)"])),
        ];
        for value in values {
            let bytes = bytes(&value);
            let mut reader = Reader::new(&bytes);
            let again = reader.value().unwrap();
            reader.end().unwrap();
            assert_eq!(format!("{value:?}"), format!("{again:?}"));
            for cut in 0..bytes.len() {
                assert!(Reader::new(&bytes[..cut]).value().is_err(), "{value:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn hostile_bytes_are_refused_without_allocating() {
        // A list that says it has four thousand million items, a list in a list in a list.
        assert_eq!(Reader::new(&[7, 0xff, 0xff, 0xff, 0xff, 0x0f]).value().err(), Some(WireError::Short));
        assert!(Reader::new(&[7, 1].repeat(100_000)).value().is_err());
        assert!(Reader::new(&[9]).value().is_err());
        assert!(Reader::new(&[0x80, 0]).number().is_err(), "two forms of one number");
        assert_eq!(
            Reader::new(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]).number(),
            Ok(u64::MAX)
        );
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(0_u8..10, 0..200)) {
            let _ = Reader::new(&bytes).value();
        }

        #[test]
        fn any_number_has_one_form(number: u64) {
            let mut writer = Writer::default();
            writer.number(number);
            proptest::prop_assert_eq!(Reader::new(&writer.bytes).number(), Ok(number));
        }
    }
}
