//! What a server answers when all is well, read as it comes: of a body only what is used is kept in memory.

use std::fmt;
use std::io::Read;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;

use super::super::request::Usage;

/// What is read of a chat completion.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Completion {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) model: Option<String>,
    /// The first choice: none when the list is missing or empty.
    #[serde(default, deserialize_with = "first")]
    pub(super) choices: Option<Choice>,
    #[serde(default)]
    pub(super) usage: Option<Json>,
    /// Some servers answer 200 and say here that it went wrong.
    #[serde(default)]
    pub(super) error: Option<Json>,
}

/// One choice.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Choice {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) finish_reason: Option<String>,
    #[serde(default)]
    pub(super) message: Option<Message>,
}

/// A message.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Message {
    #[serde(default)]
    pub(super) content: Content,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) refusal: Option<String>,
}

/// The text of a message: a text, a list of parts with texts, or nothing.
#[derive(Debug, Default)]
pub(super) struct Content(pub(super) Option<String>);

impl Completion {
    /// Reads a body. Some servers begin it with the mark of a text file.
    pub(super) fn read(mut source: impl Read) -> Result<Self, serde_json::Error> {
        const MARK: &[u8] = b"\xef\xbb\xbf";
        let mut first = Vec::with_capacity(MARK.len());
        source.by_ref().take(MARK.len() as u64).read_to_end(&mut first).map_err(serde_json::Error::io)?;
        if first == MARK {
            first.clear();
        }
        serde_json::from_reader(first.as_slice().chain(source))
    }
}

/// The tokens that a server counted, none unless it says how many the messages were.
pub(super) fn usage(usage: Option<&Json>, completion: impl Fn() -> u64) -> Option<Usage> {
    let count = |names: [&str; 2]| {
        let value = names.iter().find_map(|name| usage?.get(name))?;
        // Some servers write whole numbers with a fraction.
        let count = value.as_f64().filter(|n| (0.0..=1e15).contains(n))?;
        value.as_u64().or(Some(count as u64))
    };
    let prompt_tokens = count(["prompt_tokens", "input_tokens"])?;
    let said = count(["completion_tokens", "output_tokens"]);
    Some(Usage {
        prompt_tokens,
        completion_tokens: said.unwrap_or_else(completion),
        estimated: said.is_none(),
    })
}

/// A text, none for anything else.
fn lenient<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(Content::deserialize(from)?.0)
}

fn first<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Choice>, D::Error> {
    struct First;
    impl<'de> Visitor<'de> for First {
        type Value = Option<Choice>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of choices")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let first = list.next_element()?;
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(first)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }
    from.deserialize_any(First)
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Text)
    }
}

struct Text;

impl<'de> Visitor<'de> for Text {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of parts")
    }

    fn visit_str<E>(self, text: &str) -> Result<Content, E> {
        Ok(Content(Some(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Content, E> {
        Ok(Content(Some(text)))
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Content, E> {
        Ok(Content(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Content, E> {
        Ok(Content(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Content, E> {
        Ok(Content(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Content, E> {
        Ok(Content(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Content(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Content, A::Error> {
        #[derive(Deserialize)]
        struct Part {
            #[serde(default, deserialize_with = "lenient")]
            text: Option<String>,
        }
        let mut whole: Option<String> = None;
        while let Some(part) = parts.next_element::<Part>()? {
            if let Some(text) = part.text {
                whole.get_or_insert_default().push_str(&text);
            }
        }
        Ok(Content(whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(json: &Json) -> Completion {
        Completion::read(json.to_string().as_bytes()).unwrap()
    }

    fn text(json: &Json) -> Option<String> {
        read(json).choices.and_then(|choice| choice.message).and_then(|message| message.content.0)
    }

    #[test]
    fn the_text_of_the_first_choice_is_read() {
        let content =
            |content: Json| json!({"choices": [{"message": {"content": content}}, 7], "id": {"a": [1]}});
        assert_eq!(text(&content(json!("a\nb"))).as_deref(), Some("a\nb"));
        let parts = json!([{"type": "text", "text": "a"}, {"type": "image"}, {"text": "b"}]);
        assert_eq!(text(&content(parts)).as_deref(), Some("ab"));
        for nothing in [json!(null), json!(1.5), json!({"a": 1}), json!([])] {
            assert_eq!(text(&content(nothing)), None);
        }
        for other in [json!({}), json!({"choices": []}), json!({"choices": null}), json!({"choices": [{}]})] {
            assert_eq!(text(&other), None);
        }
        for wrong in ["\"a\"", "7", "{\"choices\": {}}", "{\"choices\": [1]}", "<html>", "", "{}x"] {
            assert!(Completion::read(wrong.as_bytes()).is_err(), "{wrong}");
        }
        let marked = b"\xef\xbb\xbf{\"choices\": [{\"message\": {\"content\": \"a\"}}]}";
        assert!(Completion::read(&marked[..]).unwrap().choices.is_some());
        let deep = "[".repeat(100_000);
        assert!(Completion::read(format!("{{\"usage\": {deep}").as_bytes()).is_err());
    }

    #[test]
    fn tokens_are_those_that_the_server_counted() {
        let counted = |json: Json| {
            usage(Some(&json), || 9).map(|u| (u.prompt_tokens, u.completion_tokens, u.estimated))
        };
        assert_eq!(counted(json!({"prompt_tokens": 5, "completion_tokens": 3})), Some((5, 3, false)));
        assert_eq!(counted(json!({"prompt_tokens": 5.0, "completion_tokens": null})), Some((5, 9, true)));
        assert_eq!(counted(json!({"input_tokens": 5, "output_tokens": 0})), Some((5, 0, false)));
        assert_eq!(counted(json!({"prompt_tokens": -5})), None);
        assert_eq!(counted(json!({"prompt_tokens": u64::MAX, "completion_tokens": u64::MAX})), None);
        assert_eq!(counted(json!({"prompt_tokens": 5, "completion_tokens": u64::MAX})), Some((5, 9, true)));
        assert_eq!(counted(json!("many")), None);
        assert_eq!(usage(None, || 9), None);
    }
}
