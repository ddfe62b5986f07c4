//! `normc answer RUN [STEP [VALUE]]`: the open questions of a run, and an answer to one of them. Of a run that nobody works
//! on the answer is written into its journal; to one that goes on it is given through its mailbox.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::base::{Clock, QuestionKind as Kind, nearest};
use crate::engine::{Found, Keeping, Past, RunError, StoredQuestion};
use crate::faculty::human::{Asked, Letterbox, Posted, Tty, ask, validate};
use crate::report::say;
use crate::report::{Origin, questions_json, questions_text};
use crate::store::{Durability, Holder, Store, StoreError};

use super::Exit;
use super::clock::WallClock;
use super::open::read_text;
use super::output::{Form, complain, count, print};
use super::people::{mailbox_of, posted, report};
use super::stores::{StoreArgument, find, report_error};

/// List the open questions of a run, or answer one
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  normc answer last\n  normc answer last 1.2 yes\n  normc answer last '1.3[2]' --file \
                        letter.txt\n  normc answer last 1.4 --json '[\"a.txt\", \"b.txt\"]'\n  echo 42 | normc answer last \
                        1.5 -\n\nAn answer is written down with the run; go on with: normc exec --resume RUN. A run that \
                        is at work takes it at once, if it has a mailbox."
)]
pub(super) struct Arguments {
    /// The run: an id, the beginning of one, a name or `last`
    run: String,
    /// The question as it is listed; a step or a concept will do when it has only one
    step: Option<String>,
    /// The answer: a text, y or n, an option or its number, paths; - for standard input [default: asked for on a terminal]
    value: Vec<String>,
    /// The answer is JSON
    #[arg(long)]
    json: bool,
    /// Take the answer from a file
    #[arg(long, value_name = "FILE", conflicts_with = "value", requires = "step")]
    file: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Form,
    #[command(flatten)]
    store: StoreArgument,
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    match answer(arguments) {
        Ok(()) => Exit::Done,
        Err(exit) => exit,
    }
}

fn answer(arguments: &Arguments) -> Result<(), Exit> {
    let book = Book::open(arguments)?;
    let questions = book.questions()?;
    let Some(wanted) = &arguments.step else { return list(arguments, &book, &questions) };
    let question = choose(&questions, wanted, &book.id)?;
    let answer = value(arguments, question, &book)?;
    book.give(question, &answer)?;
    let left = questions.len() - 1;
    match arguments.format {
        Form::Json => {
            print(&format!("{}\n", json!({"run_id": book.id, "answered": &*question.id, "open": left})))
        }
        Form::Human => {
            let open = match left {
                0 => "no question is open".to_owned(),
                1 => "1 question is still open".to_owned(),
                left => format!("{} are still open", count(left, "question")),
            };
            say!("{} is answered; {open}", question.id);
            if !matches!(book.place, Place::Live(_)) {
                say!("go on with: normc exec --resume {}{}", book.id, book.store_option);
            }
            Ok(())
        }
    }
}

fn list(arguments: &Arguments, book: &Book, questions: &[Posted]) -> Result<(), Exit> {
    let origin =
        Origin { run: &book.id, store: &book.store_option, resumes: matches!(book.place, Place::Journal) };
    match arguments.format {
        Form::Json => {
            print(&format!("{}\n", json!({"run_id": book.id, "questions": questions_json(questions)})))
        }
        Form::Human if questions.is_empty() => {
            say!("run {} has no open question", book.id);
            Ok(())
        }
        Form::Human => print(&questions_text(questions, &origin)),
    }
}

/// The question that is meant: by its id, or by its step or concept when that has only one. A step whose questions are
/// numbered is not enough: its name is the id of the first one, and an answer given twice must not reach another cell.
fn choose<'q>(questions: &'q [Posted], wanted: &str, run: &str) -> Result<&'q Posted, Exit> {
    let id = wanted.strip_suffix("#1").or_else(|| wanted.strip_suffix("#1.1")).unwrap_or(wanted);
    if let Some(question) = questions.iter().find(|q| *q.id == *id) {
        return Ok(question);
    }
    let bare = |name: &str| name.trim_matches(|c| "{}[]<>".contains(c)).to_owned();
    let of_step = |q: &&Posted| q.id == q.step && (*q.step == *wanted || q.flow() == wanted);
    let means = |q: &&Posted| of_step(q) || bare(&q.concept) == bare(wanted);
    let meant: Vec<&Posted> = questions.iter().filter(means).collect();
    let listed = |questions: &[&Posted]| {
        const MOST: usize = 12;
        let ids: Vec<&str> = questions.iter().map(|q| &*q.id).take(MOST).collect();
        let more = if questions.len() > MOST { " and others" } else { "" };
        format!("{}{more}", ids.join(", "))
    };
    match meant.as_slice() {
        [one] => Ok(one),
        [] => {
            let all: Vec<&Posted> = questions.iter().collect();
            let near = nearest(wanted, questions.iter().map(|q| &*q.id));
            let help = match (all.as_slice(), near) {
                ([], _) => "no question of the run is open".to_owned(),
                (_, Some(near)) => format!("did you mean `{near}`?"),
                (all, None) => format!("open are {}", listed(all)),
            };
            complain(&format!("run {run} has no open question `{wanted}`"), Some(&help));
            Err(Exit::NotFound)
        }
        several => {
            let message = format!("`{wanted}` has {}", count(several.len(), "open question"));
            complain(&message, Some(&format!("say which: {}", listed(several))));
            Err(Exit::Usage)
        }
    }
}

/// The answer that was given with the arguments, or is asked for now.
fn value(arguments: &Arguments, question: &Posted, book: &Book) -> Result<Json, Exit> {
    let (texts, from) = match (&arguments.file, arguments.value.as_slice()) {
        (Some(file), _) => (vec![from_file(file, question)?], file.display().to_string()),
        (None, [one]) if one == "-" => {
            (vec![from_file(Path::new("-"), question)?], "standard input".to_owned())
        }
        (None, []) => return asked(question, book),
        (None, values) => (values.to_vec(), "the answer".to_owned()),
    };
    let is_list = question.asked.kind == Kind::Files && !arguments.json && from == "the answer";
    let answer = match texts.as_slice() {
        paths if is_list => paths.iter().map(|path| Json::from(path.as_str())).collect(),
        [text] if arguments.json => serde_json::from_str(text).map_err(|error| {
            complain(
                &format!("{from} is not JSON: {error}"),
                Some("a text needs quotes, or leave --json out"),
            );
            Exit::BadData
        })?,
        [text] => Json::from(text.as_str()),
        _ => {
            let help = "put a text of several words in quotes; only a question for files takes several";
            complain("one answer is wanted, not several", Some(help));
            return Err(Exit::Usage);
        }
    };
    validate(question, &answer, &book.base).map(|_| answer).map_err(|reason| {
        complain(&format!("the answer does not fit the question {}", question.place()), Some(&reason));
        Exit::BadData
    })
}

/// The text of a file. The end of its last line belongs to the file, not to the answer, unless a whole text is wanted.
fn from_file(file: &Path, question: &Posted) -> Result<String, Exit> {
    let mut text = read_text(file).map_err(|failed| failed.exit)?;
    if question.asked.kind != Kind::Edit && text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

/// Asks at the terminal.
fn asked(question: &Posted, book: &Book) -> Result<Json, Exit> {
    let Some(mut tty) = Tty::of_process() else {
        let help = "write it behind the step, or - for standard input, or --file FILE";
        complain("there is no answer, and no terminal to ask for it", Some(help));
        return Err(Exit::Usage);
    };
    match ask(&mut tty, question, 0, &book.base, &mut || false) {
        Asked::Answered(value) => Ok(value.to_json()),
        Asked::Later | Asked::Left | Asked::Gone => {
            say!("\n{} stays open", question.id);
            Err(Exit::Waiting)
        }
    }
}

/// Where the questions of a run stand, and where their answers go.
struct Book {
    store: Store,
    id: String,
    base: PathBuf,
    store_option: String,
    place: Place,
    /// What the journal has.
    stored: Vec<StoredQuestion>,
}

enum Place {
    /// Nobody works on the run.
    Journal,
    /// A process does, and it has a mailbox.
    Live(Letterbox),
    /// A process does, and it has none.
    Busy(Holder),
}

impl Book {
    fn open(arguments: &Arguments) -> Result<Self, Exit> {
        let store = arguments.store.open();
        let run = find(&store, &arguments.run).map_err(|error| report_error(&error.into()))?;
        let id = run.id().to_owned();
        let (holder, mailbox) = (run.holder(), mailbox_of(&run));
        let failed = |error: RunError| report_error(&error);
        let past = Past::read(run).map_err(failed)?;
        let base = PathBuf::from(&past.epoch().map_err(failed)?.base);
        let letterbox = || Letterbox::open(&mailbox?, &id, &base).ok();
        let place = match holder {
            None => Place::Journal,
            Some(holder) => letterbox().map_or(Place::Busy(holder), Place::Live),
        };
        let stored = match place {
            Place::Live(_) => Vec::new(),
            Place::Journal | Place::Busy(_) => past.questions().map_err(failed)?,
        };
        let store_option = arguments.store.as_option();
        Ok(Self { store, id, base, store_option, place, stored })
    }

    fn questions(&self) -> Result<Vec<Posted>, Exit> {
        match &self.place {
            Place::Live(letterbox) => letterbox.open_questions().map_err(|error| report(&error)),
            Place::Journal | Place::Busy(_) => Ok(self.stored.iter().map(|q| posted(&q.open)).collect()),
        }
    }

    /// Gives an answer that fits its question.
    fn give(&self, question: &Posted, answer: &Json) -> Result<(), Exit> {
        match &self.place {
            Place::Live(letterbox) => letterbox.put(question, answer).map_err(|error| report(&error)),
            Place::Busy(holder) => Err(self.busy(holder)),
            Place::Journal => self.write_down(question, answer),
        }
    }

    fn busy(&self, holder: &Holder) -> Exit {
        let Self { id, store_option, .. } = self;
        complain(
            &format!("process {} is at work on run {id}, and has no mailbox", holder.pid),
            Some(&format!(
                "answer at its terminal; or stop it with Ctrl-C, answer then, and go on with: normc exec --resume \
                 {id}{store_option}. A run with --mailbox DIR takes answers while it goes"
            )),
        );
        Exit::Locked
    }

    fn write_down(&self, question: &Posted, answer: &Json) -> Result<(), Exit> {
        let failed = |error: RunError| match error {
            // Somebody has begun to work on it since.
            RunError::Store(StoreError::Locked { holder: Some(holder), .. }) => self.busy(&holder),
            error => report_error(&error),
        };
        let run = find(&self.store, &self.id).map_err(|error| failed(error.into()))?;
        let found = Found::take(run).map_err(failed)?;
        // What was listed may have been answered meanwhile.
        let open = found.past.questions().map_err(failed)?;
        let same = |known: &&StoredQuestion| posted(&known.open) == *question;
        let Some(stored) = open.iter().find(same) else {
            complain(&format!("{} is not open any more", question.id), None);
            return Err(Exit::NotFound);
        };
        if question.deadline.is_some_and(|deadline| WallClock.now_millis() >= deadline) {
            complain(
                &format!(
                    "it is too late: {} was to be answered until {}",
                    question.id,
                    question.until().unwrap_or_default()
                ),
                Some(&format!(
                    "go on with normc exec --resume {}{}: the step fails then, and the next time it asks again",
                    self.id, self.store_option
                )),
            );
            return Err(Exit::NotFound);
        }
        let value = validate(question, answer, &self.base).map_err(|reason| {
            complain(&format!("the answer does not fit the question {}", question.place()), Some(&reason));
            Exit::BadData
        })?;
        let keeping = Keeping { durability: Durability::Grouped, clock: Arc::new(WallClock) };
        found.answer(stored, value, &keeping).map_err(failed)
    }
}
