//! A step whose cells are at work: which call of which cell is out, what came back, and what its end makes of it. Knows
//! neither threads nor the journal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Digest, Value};
use crate::run::effect::{CallAnswer, Effect, FileAct};
use crate::run::paradigm::Turn;
use crate::run::record::{Answered, Asked, CallPlace, Left, ModelUse, drop_cell};
use crate::run::sequence::{Cell, SemanticTask};
use crate::run::{CallLog, Happening, ItemId, Printed, StepFailure};

use super::came::{Came, Refused};
use super::claims::Claims;
use super::tools::Tools;

/// A step with cells at work.
pub(super) struct CellFlight {
    task: Box<SemanticTask>,
    cells: Vec<Cell>,
    answers: Vec<Option<CallAnswer>>,
    /// How many calls each cell has made.
    numbers: Vec<u32>,
    /// Cells that are not done.
    open: usize,
    failure: Option<(usize, StepFailure)>,
    /// The run stops before the step has ended: it is open, and goes on with a resume.
    broken: bool,
    /// A call was ended while it was under way; nobody knows what it has done.
    in_doubt: bool,
    log: CallLog,
    /// Answers of an earlier process.
    recorded: BTreeMap<CallPlace, Answered>,
    /// Questions an earlier process put.
    asked: BTreeMap<CallPlace, Asked>,
    /// Cells with a reply that ended at its limit of tokens, by the model that gave it.
    cut: BTreeMap<String, BTreeSet<u32>>,
    /// Its calls are worth a record of their own: it has several, or a model or a person among them.
    keeps: bool,
    /// Its number among the steps whose cells look for files.
    number: u64,
    item: ItemId,
    pub(super) name: Arc<str>,
    /// The idempotency key of the step, once it is known.
    pub(super) key: Option<Digest>,
}

/// A call that came back, for the journal.
pub(super) struct Made {
    pub(super) place: CallPlace,
    pub(super) effect: Effect,
    pub(super) answer: Result<CallAnswer, StepFailure>,
    pub(super) time: Duration,
    pub(super) model: Option<Box<ModelUse>>,
    pub(super) left: Left,
}

/// What a cell does next.
pub(super) struct Next {
    /// What it asks for; none when it is done or has failed.
    pub(super) ask: Option<(CallPlace, Effect)>,
    /// Calls that are to be written down before anything else happens.
    pub(super) made: Vec<Made>,
}

/// An answer on its way into a cell.
struct Arrived {
    place: CallPlace,
    effect: Effect,
    answer: CallAnswer,
    time: Duration,
    model: Option<Box<ModelUse>>,
    /// It is written down already, or not worth it.
    silent: bool,
}

impl CellFlight {
    pub(super) fn new(
        mut task: Box<SemanticTask>,
        name: Arc<str>,
        recorded: BTreeMap<CallPlace, Answered>,
        asked: BTreeMap<CallPlace, Asked>,
        (number, item): (u64, ItemId),
    ) -> Self {
        let cells = std::mem::take(&mut task.cells);
        let warnings = std::mem::take(&mut task.warnings);
        let count = cells.len();
        Self {
            keeps: count > 1 || cells.iter().any(|c| c.single_effect().is_none()),
            task,
            cells,
            answers: vec![None; count],
            numbers: vec![0; count],
            open: count,
            failure: None,
            broken: false,
            in_doubt: false,
            log: CallLog { warnings, ..CallLog::default() },
            recorded,
            asked,
            cut: BTreeMap::new(),
            number,
            item,
            name,
            key: None,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    pub(super) fn is_once(&self) -> bool {
        self.task.is_once()
    }

    pub(super) fn timeout(&self) -> Option<f64> {
        self.task.timeout
    }

    /// Returns whether every cell is done or has failed.
    pub(super) fn is_over(&self) -> bool {
        self.open == 0
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    pub(super) fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Where a cell stands, as axis names and positions.
    pub(super) fn at(&self, cell: u32) -> &[(String, usize)] {
        self.cells.get(cell as usize).map_or(&[], |c| &c.at)
    }

    /// The question an earlier process put at this place.
    pub(super) fn asked_before(&self, place: CallPlace, effect: &Digest) -> Option<&Asked> {
        self.asked.get(&place).filter(|asked| asked.effect == *effect)
    }

    /// The place of the next call of a cell.
    pub(super) fn next_place(&mut self, cell: u32) -> CallPlace {
        let number = self.numbers.get_mut(cell as usize);
        let place = CallPlace { cell, number: number.as_deref().copied().unwrap_or(0) };
        if let Some(number) = number {
            *number += 1;
        }
        place
    }

    /// The answer an earlier process got at this place to the same call.
    pub(super) fn recorded(&mut self, place: CallPlace, effect: &Effect) -> Option<CallAnswer> {
        self.known(place, effect).map(|(answer, _)| answer)
    }

    /// The same, and the number of the cell's next call.
    fn known(&mut self, place: CallPlace, effect: &Effect) -> Option<(CallAnswer, u32)> {
        let Answered { call, next } = self.recorded.remove(&place)?;
        if call.effect == effect.digest() {
            self.note_cut(place, call.model.as_ref());
            return Some((call.answer.ok()?, next));
        }
        // The cell has taken another way; what it was told on the old one does not count.
        drop_cell(&mut self.recorded, place.cell);
        None
    }

    /// Begins a cell.
    pub(super) fn begin(&mut self, cell: u32, tools: &Tools, claims: &mut Claims) -> Next {
        self.go(cell, None, tools, claims)
    }

    /// Lets a cell look for the file it has waited for.
    pub(super) fn look(
        &mut self,
        place: CallPlace,
        effect: Effect,
        tools: &Tools,
        claims: &mut Claims,
    ) -> Next {
        let path = sought(&effect).map(|path| tools.file_key(self.item, path));
        let who = (self.number, place.cell);
        if path.as_ref().is_some_and(|path| claims.must_wait(path, who)) {
            return Next { ask: Some((place, effect)), made: Vec::new() };
        }
        match tools.quick(&effect, self.item) {
            Ok(answer) => {
                if let Some(path) = path {
                    claims.looked(&path, who, answer.value == Value::Bool(true));
                }
                let (time, model) = (Duration::ZERO, None);
                let arrived = Arrived { place, effect, answer, time, model, silent: !self.keeps };
                self.go(place.cell, Some(arrived), tools, claims)
            }
            Err(failure) => {
                claims.release(who);
                if let Some(path) = path {
                    claims.pass_on(&path);
                }
                Next { ask: None, made: Vec::from_iter(self.refused(place, effect, failure, None)) }
            }
        }
    }

    /// A cell is over for this process: nobody need wait for what it might have written.
    pub(super) fn release(&self, claims: &mut Claims) {
        claims.release_step(self.number);
    }

    /// Gives a cell what it asked for.
    pub(super) fn answer(
        &mut self,
        place: CallPlace,
        effect: Effect,
        came: Result<Came, Refused>,
        tools: &Tools,
        claims: &mut Claims,
    ) -> Next {
        match came {
            Ok(came) => {
                self.log.calls += 1;
                self.log.time += came.duration;
                if !came.output.is_empty() {
                    self.log.outputs.push(Printed { stdout: came.output.stdout, stderr: came.output.stderr });
                }
                self.add_use(place, came.model.as_deref());
                let arrived = Arrived {
                    place,
                    effect,
                    answer: came.answer,
                    time: came.duration,
                    model: came.model,
                    silent: !self.keeps,
                };
                if matches!(arrived.effect, Effect::File(FileAct::Save { .. })) {
                    claims.release((self.number, place.cell));
                }
                self.go(place.cell, Some(arrived), tools, claims)
            }
            Err(Refused { failure, model }) => {
                self.add_use(place, model.as_deref());
                claims.release((self.number, place.cell));
                let made = self.refused(place, effect, *failure, model);
                Next { ask: None, made: Vec::from_iter(made) }
            }
        }
    }

    /// A call failed, and its cell with it.
    fn refused(
        &mut self,
        place: CallPlace,
        effect: Effect,
        failure: StepFailure,
        model: Option<Box<ModelUse>>,
    ) -> Option<Made> {
        self.fail(place.cell, failure.clone());
        // What a script was told before it failed is written down; so must be that it begins anew.
        let asked = self.numbers.get(place.cell as usize).is_some_and(|next| *next > place.number + 1);
        (self.keeps || asked).then(|| Made {
            place,
            effect,
            answer: Err(failure),
            time: Duration::ZERO,
            model,
            left: Left::Failed,
        })
    }

    fn go(&mut self, cell: u32, arrived: Option<Arrived>, tools: &Tools, claims: &mut Claims) -> Next {
        let next = self.go_on(cell, arrived, tools, claims);
        if next.ask.is_none() {
            claims.release((self.number, cell));
        }
        next
    }

    fn go_on(&mut self, cell: u32, mut arrived: Option<Arrived>, tools: &Tools, claims: &mut Claims) -> Next {
        let who = (self.number, cell);
        let mut made = Vec::new();
        loop {
            let Some(work) = self.cells.get_mut(cell as usize) else { return Next { ask: None, made } };
            let turn = work.advance(arrived.as_ref().map(|a| a.answer.clone()));
            if let Some(Arrived { place, effect, answer, time, model, silent: false }) = arrived.take() {
                let left = match &turn {
                    Ok(Turn::Effect(_)) => Left::Open,
                    Ok(Turn::Done(_)) => Left::Done,
                    Err(_) => Left::Failed,
                };
                made.push(Made { place, effect, answer: Ok(answer), time, model, left });
            }
            let effect = match turn {
                Ok(Turn::Effect(effect)) => effect,
                Ok(Turn::Done(answer)) => {
                    if let Some(place) = self.answers.get_mut(cell as usize) {
                        *place = Some(answer);
                    }
                    self.open -= 1;
                    return Next { ask: None, made };
                }
                Err(failure) => {
                    self.fail(cell, failure);
                    return Next { ask: None, made };
                }
            };
            let place = self.next_place(cell);
            if !self.recorded.is_empty()
                && let Some((answer, next)) = self.known(place, &effect)
            {
                if let (Effect::Script(_), Some(number)) = (&effect, self.numbers.get_mut(cell as usize)) {
                    *number = next;
                }
                if let Some(path) = sought(&effect) {
                    claims.looked(&tools.file_key(self.item, path), who, answer.value == Value::Bool(true));
                }
                let (time, model) = (Duration::ZERO, None);
                arrived = Some(Arrived { place, effect, answer, time, model, silent: true });
                continue;
            }
            let path = sought(&effect).map(|path| tools.file_key(self.item, path));
            if !effect.is_quick() || path.as_ref().is_some_and(|path| claims.must_wait(path, who)) {
                return Next { ask: Some((place, effect)), made };
            }
            match tools.quick(&effect, self.item) {
                Ok(answer) => {
                    if let Some(path) = path {
                        claims.looked(&path, who, answer.value == Value::Bool(true));
                    }
                    let silent = !self.keeps || effect.is_pure();
                    let (time, model) = (Duration::ZERO, None);
                    arrived = Some(Arrived { place, effect, answer, time, model, silent });
                }
                Err(failure) => {
                    made.extend(self.refused(place, effect, failure, None));
                    return Next { ask: None, made };
                }
            }
        }
    }

    /// A cell failed. The first one in row-major order is the one that is reported.
    pub(super) fn fail(&mut self, cell: u32, mut failure: StepFailure) {
        let index = cell as usize;
        if failure.cell.is_empty() {
            failure.cell = self.at(cell).to_vec();
        }
        if self.failure.as_ref().is_none_or(|(first, _)| index < *first) {
            self.failure = Some((index, failure));
        }
        self.open = self.open.saturating_sub(1);
    }

    /// A cell will not come to its end in this process. `in_doubt` says that a call of it was ended under way.
    pub(super) fn give_up(&mut self, in_doubt: bool) {
        self.broken = true;
        self.in_doubt |= in_doubt;
        self.open = self.open.saturating_sub(1);
    }

    /// Adds what something cost that a script of the step asked for.
    /// Counts what a call of a model has cost.
    pub(super) fn add_use(&mut self, place: CallPlace, model: Option<&ModelUse>) {
        if let Some(model) = model {
            self.log.spent.add(&model.spent);
        }
        self.note_cut(place, model);
    }

    fn note_cut(&mut self, place: CallPlace, model: Option<&ModelUse>) {
        if let Some(model) = model.filter(|model| model.cut) {
            self.cut.entry(model.asked.clone()).or_default().insert(place.cell);
        }
    }

    /// A text that ends too early is an answer all the same: whoever reads the result is told.
    fn cut_warnings(&self) -> impl Iterator<Item = String> {
        self.cut.iter().map(|(model, cells)| {
            let first = cells.first().map_or(0, |cell| cell + 1);
            let of = match (self.len(), cells.len()) {
                (1, _) => "a reply".to_owned(),
                (_, 1) => format!("a reply for cell {first}"),
                (_, several) => format!("replies for {several} cells, the first of them cell {first},"),
            };
            format!(
                "{of} ended at the limit of tokens of the model `{model}`: set a larger `max_tokens` in \
                 [models.{model}], or ask for less"
            )
        })
    }

    /// What the step comes to, when every cell is over.
    pub(super) fn land(self) -> (Result<Happening, StepFailure>, CallLog) {
        let cut: Vec<String> = self.cut_warnings().collect();
        let Self { task, answers, failure, mut log, .. } = self;
        log.warnings.extend(cut);
        let done = match failure {
            Some((_, failure)) => Err(failure),
            None => task.finish(answers.into_iter().flatten().collect()).map(Happening::Gave),
        };
        (done, log)
    }
}

/// The file an effect looks for.
pub(super) fn sought(effect: &Effect) -> Option<&Arc<str>> {
    match effect {
        Effect::File(FileAct::Exists { path }) => Some(path),
        _ => None,
    }
}
