//! Answers that were written beforehand: `--answers FILE`, a JSON object of steps and answers (semantics spec, section
//! 14.6). A question with no answer in it stays open.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossbeam_channel::Sender;
use serde_json::Value as Json;

use super::posted::{Given, Posted};
use super::reception::{Desk, Note};
use super::validate::{shown, validate};
use crate::base::{FlowIndex, QuestionKind as Kind, nearest};

/// Answers by step.
#[derive(Debug, Clone, Default)]
pub struct AnswerFile {
    entries: Vec<Entry>,
}

/// What is answered to one step.
#[derive(Debug, Clone)]
struct Entry {
    /// As written.
    name: String,
    key: Key,
    answer: Json,
    /// How many items of a list have been taken.
    taken: usize,
}

/// What an entry is for, most exact first.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Key {
    /// One question: `1.2[3]#2`.
    Question(String),
    /// One loop position: `1.2[3]`.
    Step(String),
    /// An inference, at every position: `1.2`.
    Flow(String),
    /// A concept, with its brackets or without: whatever infers it.
    Concept,
}

impl Key {
    /// Reads a key. Anything that does not begin as a flow index is the name of a concept.
    fn read(text: &str) -> Self {
        let (step, number) = match text.split_once('#') {
            Some((step, number)) => (step.trim(), Some(number.trim())),
            None => (text, None),
        };
        let (flow, path) = match step.split_once('[') {
            Some((flow, path)) => (flow.trim(), Some(path)),
            None => (step, None),
        };
        let Ok(flow) = flow.parse::<FlowIndex>() else { return Self::Concept };
        let step = match path {
            None => flow.to_string(),
            Some(path) => {
                let path: String = path.chars().filter(|c| !c.is_whitespace()).collect();
                format!("{flow}[{path}")
            }
        };
        match (number, path) {
            (Some(number), _) => Self::Question(format!("{step}#{number}")),
            (None, Some(_)) => Self::Step(step),
            (None, None) => Self::Flow(step),
        }
    }

    fn rank(&self) -> usize {
        match self {
            Self::Question(_) => 0,
            Self::Step(_) => 1,
            Self::Flow(_) => 2,
            Self::Concept => 3,
        }
    }
}

impl Entry {
    fn is_for(&self, question: &Posted) -> bool {
        match &self.key {
            Key::Question(id) => **id == *question.id,
            Key::Step(step) => **step == *question.step,
            Key::Flow(flow) => flow == question.flow(),
            Key::Concept => bare(&self.name) == bare(&question.concept),
        }
    }

    /// The next answer, and which of a list it is. A single one is for the first question of every cell.
    fn take(&mut self, question: &Posted) -> Option<(Json, Option<usize>)> {
        let (_, number) = question.number();
        let first = number == 1 || matches!(self.key, Key::Question(_));
        match &self.answer {
            Json::Array(paths) if question.asked.kind == Kind::Files && paths.iter().all(Json::is_string) => {
                first.then(|| (self.answer.clone(), None))
            }
            Json::Array(list) => {
                let answer = list.get(self.taken)?.clone();
                self.taken += 1;
                Some((answer, Some(self.taken)))
            }
            one => first.then(|| (one.clone(), None)),
        }
    }
}

/// A name of a concept without its brackets.
fn bare(name: &str) -> &str {
    name.trim().trim_matches(|c| "{}[]<>".contains(c))
}

impl AnswerFile {
    /// Reads the text of such a file: a JSON object whose keys are flow indices (`1.2`), steps (`1.2[3]`), ids of questions
    /// (`1.2[3]#2`) or names of concepts. A list holds the answers in the order in which the questions are asked; for a
    /// question that wants files a list of texts is one answer. `null` leaves a question open.
    ///
    /// # Errors
    /// Why it cannot be read, in a sentence.
    pub fn read(text: &str) -> Result<Self, String> {
        let json: Json = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
        let Json::Object(map) = json else {
            return Err("it is no JSON object of steps and answers, like {\"1.2\": \"yes\"}".to_owned());
        };
        let mut entries: Vec<Entry> = map
            .into_iter()
            .map(|(name, answer)| Entry { key: Key::read(name.trim()), name, answer, taken: 0 })
            .collect();
        entries.sort_by_key(|entry| entry.key.rank());
        Ok(Self { entries })
    }

    /// Compares its steps with those of the plan: one sentence for each that names no inference. `flows` are the flow
    /// indices of all inferences, `concepts` what they infer.
    pub fn check(&self, flows: &[String], concepts: &[String]) -> Vec<String> {
        let known = |entry: &Entry| match &entry.key {
            Key::Question(step) | Key::Step(step) | Key::Flow(step) => {
                let flow = step.split(['[', '#']).next().unwrap_or_default();
                (!flows.iter().any(|f| f == flow)).then(|| nearest(flow, flows.iter().map(String::as_str)))
            }
            Key::Concept => {
                let name = bare(&entry.name);
                let names = || concepts.iter().map(|c| bare(c));
                (!names().any(|c| c == name)).then(|| nearest(name, names()))
            }
        };
        let missing = self.entries.iter().filter_map(|entry| {
            let near = known(entry)?.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            Some(format!("`{}` names no inference of the plan{near}", shown(&entry.name)))
        });
        missing.collect()
    }

    /// Takes the answer to a question: the name of its entry, which of a list it is, from 1, and the answer.
    fn take(&mut self, question: &Posted) -> Option<(String, Option<usize>, Json)> {
        for entry in self.entries.iter_mut().filter(|entry| entry.is_for(question)) {
            if let Some((answer, at)) = entry.take(question) {
                return (!answer.is_null()).then(|| (entry.name.clone(), at, answer));
            }
        }
        None
    }
}

/// The front end of an answer file. What does not fit its question is said, and the question stays open.
pub struct Written {
    file: AnswerFile,
    /// How the file is called.
    name: String,
    base: PathBuf,
    given: Sender<Given>,
    note: Note,
}

impl Written {
    /// Answers from a file that is called `name`; relative paths in answers stand relative to `base`. `note` is told of
    /// answers that do not fit.
    pub fn new(file: AnswerFile, name: &str, base: &Path, given: Sender<Given>, note: Note) -> Self {
        Self { file, name: name.to_owned(), base: base.to_path_buf(), given, note }
    }
}

impl Desk for Written {
    fn open(&mut self, question: &Arc<Posted>) -> bool {
        if question.asked.kind.is_message() {
            return false;
        }
        let Some((entry, at, answer)) = self.file.take(question) else { return false };
        match validate(question, &answer, &self.base) {
            Ok(value) => self.given.send((Arc::clone(&question.id), value)).is_ok(),
            Err(reason) => {
                let at = at.map(|at| format!(", answer {at} of the list")).unwrap_or_default();
                (self.note)(&format!(
                    "error: {}: the answer at `{}`{at} does not fit the question {}: {reason}",
                    self.name,
                    shown(&entry),
                    question.place()
                ));
                false
            }
        }
    }

    fn withdraw(&mut self, _id: &str) {}

    fn waits(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::posted::tests::question;
    use super::*;
    use proptest::prelude::*;
    use std::sync::Mutex;

    /// What a file answers to questions of a kind, one after the other; `None` leaves one open.
    fn answered(text: &str, questions: &[(&str, Kind)]) -> (Vec<Option<Json>>, Vec<String>) {
        let (given, answers) = crossbeam_channel::unbounded();
        let told = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&told);
        let note: Note = Arc::new(move |text: &str| heard.lock().unwrap().push(text.to_owned()));
        let file = AnswerFile::read(text).unwrap();
        let mut desk = Written::new(file, "a.json", Path::new("."), given, note);
        let took = |(id, kind): &(&str, Kind)| {
            let opened = desk.open(&Arc::new(question(id, kind.clone())));
            let answer = answers.try_recv().ok().map(|(_, value)| value.to_json());
            assert_eq!(opened, answer.is_some());
            answer
        };
        (questions.iter().map(took).collect(), told.lock().unwrap().clone())
    }

    fn texts(text: &str, ids: &[&str]) -> Vec<String> {
        let questions: Vec<_> = ids.iter().map(|id| (*id, Kind::Text)).collect();
        let word = |a: Option<Json>| a.map_or("-".to_owned(), |j| j.as_str().unwrap().to_owned());
        answered(text, &questions).0.into_iter().map(word).collect()
    }

    #[test]
    fn the_most_exact_entry_answers() {
        let file =
            r#"{"answer": "concept", "1.2": "flow", "1.2[3]": "step", "1.2[3]#2": "cell", "1.9": null}"#;
        let got = texts(file, &["1.2[3]#2", "1.2[3]", "1.2[1]", "1.3", "1.9"]);
        assert_eq!(got, ["cell", "step", "flow", "concept", "-"]);
    }

    #[test]
    fn lists_are_taken_in_order_and_single_answers_once_a_cell() {
        assert_eq!(texts(r#"{"1": ["a", null, "c"]}"#, &["1", "1#2", "1#3", "1#4"]), ["a", "-", "c", "-"]);
        assert_eq!(texts(r#"{"1": "a"}"#, &["1", "1#2", "1#2.2", "1#3"]), ["a", "a", "-", "a"]);
        assert_eq!(
            texts(r#"{"1 [ 2, 3 ]": "a", "{answer}": ["x"]}"#, &["1[2,3]", "1[2,4]", "1"]),
            ["a", "x", "-"]
        );
    }

    #[test]
    fn a_list_of_files_is_one_answer() {
        let files = [("1", Kind::Files), ("1#2", Kind::Files)];
        let paths = serde_json::json!(["a", "b"]);
        assert_eq!(answered(r#"{"1": ["a", "b"]}"#, &files).0, [Some(paths.clone()), Some(paths.clone())]);
        let nested = answered(r#"{"1": [["a", "b"], ["c"]]}"#, &files).0;
        assert_eq!(nested, [Some(paths), Some(serde_json::json!(["c"]))]);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let questions = [("1.2", Kind::Confirm), ("1.2#2", Kind::Confirm), ("1.2#3", Kind::Confirm)];
        let (answers, complaints) = answered(r#"{"1.2": ["yes", "perhaps", "no"]}"#, &questions);
        assert_eq!(answers, [Some(Json::Bool(true)), None, Some(Json::Bool(false))]);
        let wanted = "error: a.json: the answer at `1.2`, answer 2 of the list does not fit the question 1.2#2 {answer}: \
                      `perhaps` is neither yes nor no: answer y or n.";
        assert_eq!(complaints, [wanted]);
    }

    #[test]
    fn steps_that_are_not_there() {
        let file =
            AnswerFile::read(r#"{"1.2": 1, "1.20": 1, "{name}": 1, "<name>": 1, "nane": 1, "1.7[2]#3": 1}"#);
        let flows = ["1".to_owned(), "1.2".to_owned()];
        let problems = file.unwrap().check(&flows, &["{name}".to_owned()]);
        let wanted = [
            "`1.7[2]#3` names no inference of the plan; did you mean `1.2`?",
            "`1.20` names no inference of the plan; did you mean `1.2`?",
            "`nane` names no inference of the plan; did you mean `name`?",
        ];
        assert_eq!(problems, wanted);
        assert!(AnswerFile::read("[1]").unwrap_err().contains("{\"1.2\": \"yes\"}"));
        assert!(AnswerFile::read("{").unwrap_err().contains("not JSON"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Every answer of a list goes to one question, in order, and none twice.
        #[test]
        fn no_answer_is_given_twice(list in proptest::collection::vec("[a-z]{0,3}", 0..8), cells in 0_usize..12) {
            let ids: Vec<String> = (0..cells).map(|c| if c == 0 { "1".into() } else { format!("1#{}", c + 1) }).collect();
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            let text = serde_json::json!({"1": list.clone()}).to_string();
            let wanted: Vec<String> = (0..cells).map(|c| list.get(c).cloned().unwrap_or_else(|| "-".to_owned())).collect();
            prop_assert_eq!(texts(&text, &ids), wanted);
        }
    }
}
