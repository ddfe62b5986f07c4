//! The cassette while a run uses it: which calls are replayed, which go out, what is recorded. Knows no step.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use super::super::request::{Caller, Chat, ChatReply, ChatRequest};
use super::error::CassetteError;
use super::miss::{Sketches, difference};
use super::mode::Mode;
use super::record::{Call, Place, Record, Reply, check_depth};
use super::settings::{AsAsked, Resolve};
use super::tape::{Records, Tape};
use crate::base::Digest;
use crate::faculty::{Failure, FailureKind, Redactor};

/// A recording of a model, which stands before it (semantics spec, section 14.1). Many threads may call at once; calls
/// that are the same go out once.
pub struct Cassette {
    mode: Mode,
    model: Option<Arc<dyn Chat>>,
    resolve: Arc<dyn Resolve>,
    redactor: Arc<Redactor>,
    state: Mutex<State>,
    /// A call that went out is back.
    landed: Condvar,
    sketches: OnceLock<Sketches>,
}

#[derive(Debug)]
struct State {
    tape: Tape,
    records: Records,
    /// Those that a call has used.
    used: BTreeSet<Digest>,
    /// Those made since the cassette was opened.
    made: BTreeSet<Digest>,
    /// Calls that are out.
    flying: BTreeSet<Digest>,
    /// There is something to put in place.
    changed: bool,
    /// The first recording that could not be written down at once.
    trouble: Option<CassetteError>,
}

/// What became of a cassette in a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Played {
    /// Recordings it has now.
    pub recordings: usize,
    /// Those made in this run.
    pub recorded: usize,
    /// Those that no call of this run has used.
    pub unused: usize,
}

impl fmt::Debug for Cassette {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cassette").field("mode", &self.mode).finish_non_exhaustive()
    }
}

impl Cassette {
    /// Opens a cassette. Replaying reads it; recording locks it and makes its folder; `off` does not look at it.
    ///
    /// # Errors
    /// A cassette that is missing (when it is replayed), damaged, of a later version, in use by another run, or cannot
    /// be read or written.
    pub fn open(path: &Path, mode: Mode) -> Result<Self, CassetteError> {
        let mut tape = Tape::new(path);
        let mut records = Records::new();
        let mut changed = false;
        match mode {
            Mode::Off => {}
            Mode::Replay if !tape.exists() => return Err(CassetteError::Missing { path: path.to_owned() }),
            Mode::Replay | Mode::Auto => records = tape.read()?,
            Mode::Record => {
                changed = tape_changed(&tape);
                tape.lock()?;
                records = tape.read()?;
            }
        }
        let state = State {
            tape,
            records,
            used: BTreeSet::new(),
            made: BTreeSet::new(),
            flying: BTreeSet::new(),
            changed,
            trouble: None,
        };
        Ok(Self {
            mode,
            model: None,
            resolve: Arc::new(AsAsked),
            redactor: Arc::default(),
            state: Mutex::new(state),
            landed: Condvar::new(),
            sketches: OnceLock::new(),
        })
    }

    /// The cassette before this model, which is asked what is not recorded.
    #[must_use]
    pub fn before(mut self, model: Arc<dyn Chat>) -> Self {
        self.model = Some(model);
        self
    }

    /// The cassette with the settings of models filled in before calls are looked for.
    #[must_use]
    pub fn resolving(mut self, resolve: Arc<dyn Resolve>) -> Self {
        self.resolve = resolve;
        self
    }

    /// The cassette with these secrets kept out of its file, and out of the replies it gives.
    #[must_use]
    pub fn without_secrets(mut self, redactor: Arc<Redactor>) -> Self {
        self.redactor = redactor;
        self
    }

    /// What is done with it.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// What became of it so far.
    pub fn played(&self) -> Played {
        let state = self.state();
        let recordings = state.records.len();
        Played { recordings, recorded: state.made.len(), unused: recordings - state.used.len() }
    }

    /// Puts what was recorded in its place and gives the lock back. Without it nothing is lost: the next run finds the
    /// recordings in `FILE.part`.
    ///
    /// # Errors
    /// When the file cannot be written; what was recorded is still in `FILE.part`, unless that could not be written
    /// either.
    pub fn finish(&self) -> Result<Played, CassetteError> {
        {
            let mut state = self.state();
            let State { tape, records, changed, trouble, .. } = &mut *state;
            match tape.finish(changed.then_some(&*records)) {
                Ok(()) => {
                    *changed = false;
                    *trouble = None;
                }
                Err(error) => return Err(trouble.clone().unwrap_or(error)),
            }
        }
        Ok(self.played())
    }

    /// Nothing here is left half done by a panic, so a poisoned lock is as good as any.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The recorded reply of a call, or the right to make it: nobody else makes the same call meanwhile.
    fn replay_or_fly(&self, key: Digest, call: &Call, caller: &Caller) -> Result<Option<ChatReply>, Failure> {
        let mut state = self.state();
        loop {
            if let Some(reply) = state.play(key, &Place::of(caller), self.mode) {
                return Ok(Some(reply));
            }
            if self.mode == Mode::Replay {
                drop(state);
                return Err(self.miss(call, caller));
            }
            if !state.flying.contains(&key) {
                break;
            }
            let landed = match caller.deadline {
                None => self.landed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        let message = "the same call of another step did not come back in time";
                        return Err(Failure::new(FailureKind::ModelUnreachable, message)
                            .with_help("give the step more time, or run it again"));
                    }
                    self.landed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
            state = landed;
        }
        if !state.tape.is_locked() {
            // From here on the run records. Another one may have recorded meanwhile.
            state.changed |= tape_changed(&state.tape);
            state.tape.lock()?;
            let mut known = state.tape.read()?;
            known.append(&mut state.records);
            state.records = known;
            if let Some(reply) = state.play(key, &Place::of(caller), self.mode) {
                return Ok(Some(reply));
            }
        }
        state.flying.insert(key);
        Ok(None)
    }

    fn keep(&self, key: Digest, record: Record) {
        let line = record.line(key);
        let mut state = self.state();
        // The reply is paid: it is used even when it cannot be written down now. It is tried again at the end.
        if let Err(error) = state.tape.append(&line) {
            state.trouble.get_or_insert(error);
        }
        state.records.insert(key, record);
        state.used.insert(key);
        state.made.insert(key);
        state.changed = true;
    }

    fn miss(&self, call: &Call, caller: &Caller) -> Failure {
        let state = self.state();
        let place = Place::of(caller);
        let shown = state.tape.path().display().to_string();
        let nearest = self.sketches.get_or_init(|| Sketches::of(&state.records));
        let nearest = nearest.nearest(&state.records, call, &place).cloned();
        // Comparing may take a while, and others wait.
        drop(state);
        let message = format!("the cassette `{shown}` has no recording of the call of {}", place.described());
        let failure = Failure::new(FailureKind::CassetteMiss, message);
        let Some(nearest) = nearest else {
            return failure.with_help("it is empty: record the plan with `--cassette record`");
        };
        let mut failure = failure.with_help(format!(
            "record it with `--cassette auto`, or undo what differs from the recording of {}",
            nearest.place.described()
        ));
        failure.trace = Some(difference(&nearest, call, &place).into());
        failure
    }
}

/// What a killed run has left is put in its place in any case, and a cassette that is recorded is there in the end.
fn tape_changed(tape: &Tape) -> bool {
    !tape.path().exists() || tape.has_part()
}

impl State {
    /// The recorded reply of a call.
    fn play(&mut self, key: Digest, place: &Place, mode: Mode) -> Option<ChatReply> {
        let record = self.records.get_mut(&key)?;
        // Which of several steps comes first depends on threads; the one that is written must not.
        if *place < record.place && (mode == Mode::Record || self.made.contains(&key)) {
            record.place = place.clone();
            self.changed = true;
        }
        let reply = record.reply.replayed();
        self.used.insert(key);
        Some(reply)
    }
}

/// A call that is out. However it ends, others that wait for it go on.
struct Flight<'c> {
    cassette: &'c Cassette,
    key: Digest,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.cassette.state().flying.remove(&self.key);
        self.cassette.landed.notify_all();
    }
}

impl Chat for Cassette {
    fn chat(&self, request: &ChatRequest, caller: &Caller) -> Result<ChatReply, Failure> {
        let model = || {
            self.model.as_deref().ok_or_else(|| {
                Failure::new(FailureKind::NoModelConfigured, "there is no model to ask")
                    .with_help("configure one, or replay a cassette")
            })
        };
        if self.mode == Mode::Off {
            return model()?.chat(request, caller);
        }
        let call = Call::new(self.resolve.resolve(request)?, caller.occurrence, &self.redactor);
        let key = call.key();
        if self.mode != Mode::Replay {
            check_depth(&call)?;
        }
        if let Some(reply) = self.replay_or_fly(key, &call, caller)? {
            return Ok(reply);
        }
        let _flight = Flight { cassette: self, key };
        let mut reply = model()?.chat(request, caller)?;
        let clean = |text: &Arc<str>| Arc::<str>::from(self.redactor.redact(text));
        if !self.redactor.is_empty() {
            reply.text = clean(&reply.text);
            reply.model = clean(&reply.model);
            reply.finish_reason = reply.finish_reason.as_ref().map(clean);
        }
        self.keep(key, Record { place: Place::of(caller), call, reply: Reply::of(&reply) });
        Ok(reply)
    }
}
