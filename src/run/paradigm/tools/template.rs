//! Templates of prompts: filled by name, strict when they say so (semantics spec, sections 1.4 and 14.5).

use std::sync::Arc;

use super::super::slot::{Slot, Trouble, fails};
use crate::base::{Map, Value, placeholders, substitute, text_of};

/// A template.
#[derive(Debug, Clone)]
pub(in super::super) struct Template {
    pub(super) text: Arc<str>,
    /// Every name in it must be given.
    strict: bool,
}

impl Template {
    /// Reads a template. Its first lines may be `---`, `strict: true`, `---`; they are no part of the prompt.
    pub(in super::super) fn read(text: &Arc<str>) -> Self {
        match front_matter(text) {
            Some((strict, rest)) => Self { text: Arc::from(rest), strict },
            None => Self { text: Arc::clone(text), strict: false },
        }
    }

    /// The template without blanks and line breaks at its end.
    pub(super) fn without_end(&self) -> Self {
        Self { text: Arc::from(self.text.trim_end()), strict: self.strict }
    }

    /// The template filled with the inputs by their names.
    ///
    /// # Errors
    /// `missing_input` in a strict template.
    pub(super) fn fill(&self, vars: &Map) -> Result<Slot, Trouble> {
        self.check(vars)?;
        let text = substitute(&self.text, &|name| vars.get(name).map(text_of));
        Ok(Slot::of(Value::text(text)))
    }

    pub(super) fn check(&self, vars: &Map) -> Result<(), Trouble> {
        if self.strict
            && let Some(name) =
                placeholders(&self.text).into_iter().find(|name| !vars.contains_key(name.as_str()))
        {
            let message = format!("the prompt names `${name}`, and the step passes no `{name}`");
            return fails("missing_input", message, "pass the value, or take `strict: true` off the prompt");
        }
        Ok(())
    }
}

/// Whether a prompt is strict, and the prompt itself; none when it has no front matter of this form.
fn front_matter(text: &str) -> Option<(bool, &str)> {
    let (first, rest) = text.split_once('\n')?;
    if first.trim_end() != "---" {
        return None;
    }
    let (setting, rest) = rest.split_once('\n')?;
    let (close, rest) = rest.split_once('\n').unwrap_or((rest, ""));
    let strict = match setting.trim() {
        "strict: true" => true,
        "strict: false" => false,
        _ => return None,
    };
    (close.trim_end() == "---").then_some((strict, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strict_templates_want_every_name() {
        let strict = Template::read(&Arc::from("---\nstrict: true\n---\nHello $input_1"));
        assert_eq!(&*strict.text, "Hello $input_1");
        assert!(strict.fill(&Map::default()).is_err());
        let vars: Map = [(Arc::from("input_1"), Value::text("$input_2"))].into_iter().collect();
        assert_eq!(&*strict.fill(&vars).unwrap().as_text(), "Hello $input_2");
        assert_eq!(&*strict.without_end().text, "Hello $input_1");
        let other = "---\ntitle: x\n---\n$a";
        assert_eq!(&*Template::read(&Arc::from(other)).fill(&vars).unwrap().as_text(), other);
    }
}
