//! Where a run asks people: the front ends that the options of `exec` and the terminal make, as the desk of the engine.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossbeam_channel::Receiver;

use crate::engine::{Desk, OpenQuestion, Session};
use crate::faculty::human::{
    self, AnswerFile, Given, Mailbox, MailboxError, Note, Posted, Reception, Stage, Terminal, Tty, Written,
};
use crate::run::Graph;
use crate::store::RunDir;

use super::Exit;
use super::open::read_text;
use super::output::complain;

/// The file of a run's directory that says where its mailbox is while it goes.
const POINTER: &str = "mailbox";

/// A question of a run, as front ends take it.
pub(super) fn posted(open: &OpenQuestion) -> Posted {
    let OpenQuestion { id, concept, cell, asked_at, deadline, question, .. } = open;
    Posted {
        id: Arc::clone(id),
        // An id is its step, and a number where one step has several questions.
        step: Arc::from(id.split('#').next().unwrap_or_default()),
        concept: Arc::clone(concept),
        cell: cell.clone(),
        asked_at: *asked_at,
        deadline: *deadline,
        asked: question.clone(),
    }
}

/// The answers of `--answers FILE`, compared with the plan. Said already, when they cannot be used.
pub(super) fn answers(file: Option<&Path>, graph: &Graph) -> Result<Option<AnswerFile>, Exit> {
    let Some(file) = file else { return Ok(None) };
    let text = read_text(file).map_err(|failed| failed.exit)?;
    let name = file.display();
    let answers = AnswerFile::read(&text).map_err(|why| {
        complain(&format!("{name} holds no answers: {why}"), None);
        Exit::BadData
    })?;
    let inferences = &graph.model.inferences;
    let flows: Vec<String> = inferences.iter().map(|i| i.flow.to_string()).collect();
    let concepts: Vec<String> = inferences.iter().map(|i| graph.concept_name(i.target).to_string()).collect();
    let problems = answers.check(&flows, &concepts);
    for problem in &problems {
        let help = "write a flow index (`1.2`), a step (`1.2[3]`), a question (`1.2[3]#2`) or a concept";
        complain(&format!("{name}: {problem}"), Some(help));
    }
    if problems.is_empty() { Ok(Some(answers)) } else { Err(Exit::BadData) }
}

/// What front ends need to know of the run, and of the screen.
pub(super) struct Setting<'a> {
    /// Where relative paths in answers stand.
    pub(super) base: &'a Path,
    pub(super) answers: Option<(AnswerFile, &'a Path)>,
    pub(super) mailbox: Option<&'a Path>,
    pub(super) stage: Stage,
    pub(super) note: Note,
    /// Nobody else shows what steps say.
    pub(super) shows_messages: bool,
    /// Flow indices of steps whose questions are not put at the terminal.
    pub(super) elsewhere: BTreeSet<String>,
}

/// The terminal, for questions that are put there: those of agents that ask `async` wait for the mailbox, or for
/// `normc answer` (semantics spec, section 12).
struct AtTerminal {
    terminal: Terminal,
    elsewhere: BTreeSet<String>,
}

impl human::Desk for AtTerminal {
    fn open(&mut self, question: &Arc<Posted>) -> bool {
        let flow = question.step.split('[').next().unwrap_or_default();
        let away = self.elsewhere.contains(flow) && !question.asked.kind.is_message();
        !away && self.terminal.open(question)
    }

    fn withdraw(&mut self, id: &str) {
        self.terminal.withdraw(id);
    }

    fn waits(&self) -> bool {
        self.terminal.waits()
    }
}

/// Gives a run its front ends: the answer file first, then the mailbox, then the terminal, as far as each is there.
pub(super) fn with_desk(session: Session, setting: Setting<'_>) -> Result<Session, Exit> {
    let Setting { base, answers, mailbox, stage, note, shows_messages, elsewhere } = setting;
    let (given, came) = crossbeam_channel::unbounded();
    let mut desks: Vec<Box<dyn human::Desk>> = Vec::new();
    if let Some((file, path)) = answers {
        let name = path.display().to_string();
        desks.push(Box::new(Written::new(file, &name, base, given.clone(), Arc::clone(&note))));
    }
    let mut pointer = None;
    if let Some(dir) = mailbox {
        let opened = Mailbox::open(dir, session.run_id(), base, given.clone(), note);
        desks.push(Box::new(opened.map_err(|error| report(&error))?));
        pointer = Some(Pointer::set(session.path(), dir)?);
    }
    if let Some(tty) = Tty::of_process() {
        let terminal = Terminal::new(Box::new(tty), base, given.clone(), stage, shows_messages);
        desks.push(Box::new(AtTerminal { terminal, elsewhere }));
    }
    Ok(session.with_desk(Box::new(Front { reception: Reception::new(desks, came), _pointer: pointer })))
}

/// Says what is wrong with a mailbox; the exit code that goes with it.
pub(super) fn report(error: &MailboxError) -> Exit {
    complain(&error.to_string(), error.help().as_deref());
    match error {
        MailboxError::Folder(_) => Exit::InputOutput,
        MailboxError::InUse { .. } | MailboxError::Unused { .. } => Exit::Locked,
        MailboxError::Refused(_) => Exit::BadData,
    }
}

/// The front ends of a run, as the engine knows them.
struct Front {
    reception: Reception,
    _pointer: Option<Pointer>,
}

impl Desk for Front {
    fn open(&mut self, question: &OpenQuestion) {
        self.reception.open(posted(question));
    }

    fn withdraw(&mut self, id: &str) {
        self.reception.withdraw(id);
    }

    fn answers(&self) -> Receiver<Given> {
        self.reception.answers()
    }

    fn waits(&self) -> bool {
        self.reception.waits()
    }
}

/// Says in the directory of a run where its mailbox is, as long as it goes.
struct Pointer(PathBuf);

impl Pointer {
    fn set(run: &Path, mailbox: &Path) -> Result<Self, Exit> {
        let path = run.join(POINTER);
        let write = || {
            let mailbox = mailbox.canonicalize()?;
            let _ = fs::remove_file(&path);
            let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            std::io::Write::write_all(&mut file, mailbox.as_os_str().as_encoded_bytes())
        };
        write().map_err(|error| {
            complain(&format!("cannot write {}: {error}", path.display()), None);
            Exit::InputOutput
        })?;
        Ok(Self(path))
    }
}

impl Drop for Pointer {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Where the mailbox of a run is, if the process that is at work on it has one.
pub(super) fn mailbox_of(run: &RunDir) -> Option<PathBuf> {
    let text = fs::read_to_string(run.path().join(POINTER)).ok()?;
    Some(PathBuf::from(text))
}
