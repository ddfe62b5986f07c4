//! A question as it is put to people, with the step it comes from, as plain data. Knows no step and no journal.

use std::sync::Arc;

use serde_json::{Map as JsonMap, Value as Json};

use crate::base::{Question, QuestionKind, Value, date, time_of_day};

/// An answer: the id of the question, and the answer as data, which fits the question.
pub type Given = (Arc<str>, Value);

/// A question that waits for a person (semantics spec, section 14.6).
#[derive(Debug, Clone, PartialEq)]
pub struct Posted {
    /// What people call it: the step, and which of its questions when it has several, such as `1.2.3[4]#2`.
    pub id: Arc<str>,
    /// The step, such as `1.2.3[4]`.
    pub step: Arc<str>,
    /// The concept it infers.
    pub concept: Arc<str>,
    /// Which cell, as names of axes and positions from 0.
    pub cell: Vec<(String, usize)>,
    /// When it was asked, in milliseconds since 1970.
    pub asked_at: u64,
    /// When it is too late for an answer, in milliseconds since 1970; none when there is time.
    pub deadline: Option<u64>,
    /// What is asked.
    pub asked: Question,
}

impl Posted {
    /// The options of a choice; none for everything else.
    pub fn options(&self) -> &[Arc<str>] {
        match &self.asked.kind {
            QuestionKind::Choose(options) => options,
            _ => &[],
        }
    }

    /// Which cell of the step and which of its questions, from 1: what stands behind the `#` of the id.
    pub fn number(&self) -> (usize, usize) {
        let Some((_, number)) = self.id.split_once('#') else { return (1, 1) };
        let (cell, question) = number.split_once('.').unwrap_or((number, "1"));
        (cell.parse().unwrap_or(1), question.parse().unwrap_or(1))
    }

    /// The flow index of the step: the step without its loop position.
    pub fn flow(&self) -> &str {
        self.step.split('[').next().unwrap_or_default()
    }

    /// The step, its concept and its cell in one line: `1.2[3] {answer} at row 2`; positions are counted from 1, as
    /// in the failures of steps.
    pub fn place(&self) -> String {
        let mut text = format!("{} {}", self.id, self.concept);
        for (at, (axis, position)) in self.cell.iter().enumerate() {
            text.push_str(if at == 0 { " at " } else { ", " });
            text.push_str(&format!("{axis} {}", position + 1));
        }
        text
    }

    /// When it is too late for an answer: `2026-05-01 12:00:00 UTC`.
    pub fn until(&self) -> Option<String> {
        let deadline = self.deadline?;
        let time = time_of_day(deadline);
        Some(format!("{} {} UTC", date(deadline), time.split('.').next().unwrap_or_default()))
    }

    /// Its JSON form: `id`, `step`, `concept`, `cell`, `asked_at`, perhaps `deadline`, and the question itself as the
    /// journal has it.
    pub fn to_json(&self) -> JsonMap<String, Json> {
        let mut map = JsonMap::new();
        let mut put = |key: &str, value: Json| drop(map.insert(key.to_owned(), value));
        put("id", Json::from(&*self.id));
        put("step", Json::from(&*self.step));
        put("concept", Json::from(&*self.concept));
        let cell = self.cell.iter().map(|(axis, at)| (axis.clone(), Json::from(*at)));
        put("cell", Json::Object(cell.collect()));
        put("asked_at", Json::from(self.asked_at));
        if let Some(deadline) = self.deadline {
            put("deadline", Json::from(deadline));
        }
        map.extend(self.asked.to_json());
        map
    }

    /// Reads its JSON form; none when it is not one. Fields it does not know are passed over.
    pub fn from_json(map: &JsonMap<String, Json>) -> Option<Self> {
        let text = |key: &str| map.get(key).and_then(Json::as_str).map(Arc::<str>::from);
        let cell = map.get("cell").and_then(Json::as_object).into_iter().flatten();
        let cell = cell.map(|(axis, at)| Some((axis.clone(), usize::try_from(at.as_u64()?).ok()?)));
        Some(Self {
            id: text("id")?,
            step: text("step")?,
            concept: text("concept")?,
            cell: cell.collect::<Option<_>>()?,
            asked_at: map.get("asked_at").and_then(Json::as_u64).unwrap_or_default(),
            deadline: map.get("deadline").and_then(Json::as_u64),
            asked: Question::from_json(map)?,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A question of a step, for tests.
    pub(in super::super) fn question(id: &str, kind: QuestionKind) -> Posted {
        let step = id.split('#').next().unwrap();
        Posted {
            id: Arc::from(id),
            step: Arc::from(step),
            concept: Arc::from("{answer}"),
            cell: Vec::new(),
            asked_at: 0,
            deadline: None,
            asked: Question::of(kind, "well?"),
        }
    }

    #[test]
    fn questions_come_back_as_they_were() {
        let plain = question("1.2[3,4]#2.3", QuestionKind::Text);
        let full = Posted {
            cell: vec![("row".to_owned(), 2), ("column".to_owned(), 0)],
            asked_at: 17,
            deadline: Some(1_017),
            ..question("1", QuestionKind::Choose(vec![Arc::from("a"), Arc::from("b")]))
        };
        for posted in [plain, full] {
            assert_eq!(Posted::from_json(&posted.to_json()), Some(posted));
        }
    }

    #[test]
    fn an_id_tells_step_cell_and_question() {
        let parts = |id: &str| {
            let posted = question(id, QuestionKind::Text);
            (posted.flow().to_owned(), posted.number())
        };
        assert_eq!(parts("1.2"), ("1.2".to_owned(), (1, 1)));
        assert_eq!(parts("1.2[3]#4"), ("1.2".to_owned(), (4, 1)));
        assert_eq!(parts("1.2[3,1]#1.2"), ("1.2".to_owned(), (1, 2)));
    }
}
