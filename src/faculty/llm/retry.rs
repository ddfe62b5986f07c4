//! One call as a sequence of tries: a place at the gate, the provider's rate, the budget, the try, and whether there is
//! another one (semantics spec, section 14.1).

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::again::backoff;
use super::config::ModelConfig;
use super::gate::{Gate, NoPlace, Place};
use super::meter::{Admitted, Estimate, Meter, Observer};
use super::pace::Pace;
use super::provider::{Again, Asked, Provider, Refused, Said};
use super::request::{Caller, ChatReply, ChatRequest, Try, Usage, estimated_tokens};
use super::stop::{Stop, interrupted};
use crate::faculty::{Failure, FailureKind};

/// A server that asks for a longer wait is not waited for when there is no deadline.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// A provider with its gate and its rate.
pub(super) struct Line {
    pub(super) provider: Box<dyn Provider>,
    pub(super) name: Arc<str>,
    pub(super) gate: Gate,
    pub(super) pace: Pace,
    pub(super) tries: u32,
    pub(super) timeout: Duration,
}

/// Who is asked and told on the way.
pub(super) struct Hooks {
    pub(super) stop: Stop,
    /// Nothing more is sent, while what was sent may still be answered. Stopped at the latest with `stop`.
    pub(super) hold: Stop,
    pub(super) meter: Arc<dyn Meter>,
    pub(super) observer: Option<Arc<dyn Observer>>,
}

/// What is known of a call while it is made.
struct Call<'a> {
    line: &'a Line,
    hooks: &'a Hooks,
    request: &'a ChatRequest,
    model: &'a ModelConfig,
    caller: &'a Caller,
    tries: Vec<Try>,
}

/// A try that gave no reply.
struct Lost {
    failure: Failure,
    again: Again,
}

impl Lost {
    fn for_good(failure: Failure) -> Self {
        Self { failure, again: Again::No }
    }
}

impl Line {
    /// Lets no more calls through; those that were sent go on.
    pub(super) fn hold(&self) {
        self.gate.close();
        self.pace.close();
    }

    /// Ends waiting and running calls.
    pub(super) fn shut(&self) {
        self.gate.close();
        self.pace.close();
        self.provider.shut();
    }

    /// Makes a call. Settings of the model are already in the request.
    pub(super) fn chat(
        &self,
        request: &ChatRequest,
        model: &ModelConfig,
        caller: &Caller,
        hooks: &Hooks,
    ) -> Result<ChatReply, Failure> {
        let began = Instant::now();
        let mut call = Call { line: self, hooks, request, model, caller, tries: Vec::new() };
        let (said, usage) = call.run()?;
        Ok(ChatReply {
            text: Arc::from(said.text),
            finish_reason: said.finish_reason.map(Arc::from),
            model: said.model.map_or_else(|| model.model.clone(), Arc::from),
            usage,
            tries: call.tries,
            millis: millis(began.elapsed()),
            replayed: false,
        })
    }
}

impl Call<'_> {
    fn run(&mut self) -> Result<(Said, Usage), Failure> {
        let mut limit = self.request.max_tokens;
        let (mut number, mut cut) = (1, false);
        let mut wait = Duration::ZERO;
        loop {
            match self.attempt(wait, limit) {
                Ok((said, usage)) if self.is_cut(&said) => {
                    // Once, with room for twice as much; the second cut stands.
                    let room =
                        limit.map(u64::from).or(Some(usage.completion_tokens).filter(|_| !usage.estimated));
                    let twice = room.and_then(|n| u32::try_from(n.saturating_mul(2)).ok()).filter(|n| *n > 0);
                    match twice.filter(|_| !cut) {
                        Some(twice) => (limit, cut, wait) = (Some(twice), true, Duration::ZERO),
                        None => return Err(self.cut(&said, usage)),
                    }
                }
                Ok(done) => return Ok(done),
                // The budget has no room for twice as much: what stands is that the reply was cut.
                Err(lost) if cut && lost.failure.kind == FailureKind::BudgetSpent => {
                    let failure = Failure::new(FailureKind::ReplyCut, self.cut_words());
                    return Err(
                        failure.with_help(format!("twice the limit would pass the budget: {}", lost.failure))
                    );
                }
                Err(lost) => {
                    wait = self.next(lost, number)?;
                    number += 1;
                }
            }
        }
    }

    /// How long to wait before the next try; the failure when there is none.
    fn next(&self, lost: Lost, number: u32) -> Result<Duration, Failure> {
        let Lost { failure, again } = lost;
        if self.hooks.hold.stopped() {
            return Err(interrupted());
        }
        let said = |failure: Failure, words: &str| {
            let message = format!("{} ({words})", failure.message);
            Err(Failure { message, ..failure })
        };
        let own = backoff(number, fastrand::f64());
        let wait = match again {
            Again::No => return Err(failure),
            Again::Soon => own,
            // Many calls are told the same time; a little of their own keeps them from coming back as one.
            Again::After(wait) if wait.is_zero() => own,
            Again::After(wait) => wait + own.min(wait / 10),
        };
        if number >= self.line.tries {
            return match number {
                1 => Err(failure),
                tries => said(failure, &format!("after {tries} tries")),
            };
        }
        let asked = match again {
            Again::After(asked) if !asked.is_zero() => Some(asked),
            _ => None,
        };
        match (self.caller.deadline, asked) {
            (Some(deadline), _) if Instant::now() + wait >= deadline => match asked {
                Some(asked) => said(
                    failure,
                    &format!(
                        "it asks to wait {} s, and the deadline of the step is before that",
                        asked.as_secs()
                    ),
                ),
                None => said(failure, "the deadline of the step leaves no time for another try"),
            },
            (None, Some(asked)) if asked > LONGEST_WAIT => said(
                failure,
                &format!(
                    "it asks to wait {} s; no more than {} s are waited",
                    asked.as_secs(),
                    LONGEST_WAIT.as_secs()
                ),
            ),
            _ => Ok(wait),
        }
    }

    /// One try, with everything that comes before and after it.
    fn attempt(&mut self, wait: Duration, limit: Option<u32>) -> Result<(Said, Usage), Lost> {
        let asked_at = Instant::now();
        let (line, hooks) = (self.line, self.hooks);
        hooks.hold.wait(wait).map_err(Lost::for_good)?;
        let place = self.place().map_err(Lost::for_good)?;
        let prompt = self.request.prompt_tokens();
        let waited_for = prompt + u64::from(limit.unwrap_or(0));
        line.pace
            .wait(waited_for, self.caller.deadline, &hooks.hold)
            .map_err(|no| Lost::for_good(self.no_place(no, "rate")))?;
        let time = match self.caller.deadline {
            None => line.timeout,
            Some(deadline) => line.timeout.min(deadline.saturating_duration_since(Instant::now())),
        };
        if time.is_zero() {
            return Err(Lost::for_good(self.no_place(NoPlace::TooLate, "wait")));
        }
        let estimate = Estimate {
            prompt_tokens: prompt,
            completion_limit: limit.map(u64::from),
            price: self.model.price,
        };
        let admitted =
            Admitted::ask(hooks.meter.as_ref(), self.request, &estimate).map_err(Lost::for_good)?;
        let max_tokens = match (limit, admitted.completion_cap()) {
            (Some(limit), Some(cap)) => Some(limit.min(cap)),
            (limit, cap) => limit.or(cap),
        };
        let waited = asked_at.elapsed();
        let started = Instant::now();
        let asked = Asked { request: self.request, model: self.model, caller: self.caller, max_tokens, time };
        let result = line.provider.ask(&asked);
        let took = started.elapsed();
        drop(place);
        let (outcome, status, usage) = match &result {
            Ok(said) => {
                let estimated = || Usage {
                    prompt_tokens: prompt,
                    completion_tokens: estimated_tokens(&said.text),
                    estimated: true,
                };
                let word = if self.is_cut(said) { FailureKind::ReplyCut.as_str() } else { "ok" };
                (word, said.status, Some(said.usage.unwrap_or_else(estimated)))
            }
            Err(refused) => (refused.failure.kind.as_str(), refused.status, refused.usage),
        };
        admitted.settle(usage);
        if let Some(usage) = usage {
            line.pace.took((usage.prompt_tokens + usage.completion_tokens).saturating_sub(waited_for));
        }
        let usage = usage.unwrap_or_default();
        let made = Try {
            outcome: Arc::from(outcome),
            status,
            millis: millis(took),
            waited_millis: millis(waited),
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
        };
        if let Some(observer) = &hooks.observer {
            observer.tried(self.request, self.caller, &made);
        }
        self.tries.push(made);
        match result {
            Ok(said) => Ok((said, usage)),
            // A request that was ended from outside looks like a broken connection.
            Err(_) if hooks.stop.stopped() => Err(Lost::for_good(interrupted())),
            Err(Refused { failure, again, .. }) => Err(Lost { failure: *failure, again }),
        }
    }

    fn place(&self) -> Result<Place<'_>, Failure> {
        self.line.gate.enter(self.caller.deadline).map_err(|no| self.no_place(no, "gate"))
    }

    fn no_place(&self, no: NoPlace, what: &str) -> Failure {
        let name = &self.line.name;
        let (message, help) = match (no, what) {
            (NoPlace::Closed, _) => return interrupted(),
            (NoPlace::TooLate, "gate") => (
                format!("no call of the provider `{name}` ended before the deadline of the step"),
                format!("set a larger `concurrency` in [providers.{name}], or give the step more time"),
            ),
            (NoPlace::TooLate, "rate") => (
                format!(
                    "the rate of the provider `{name}` lets no call through before the deadline of the step"
                ),
                format!(
                    "set a larger `requests_per_minute` or `tokens_per_minute` in [providers.{name}], or give the step \
                     more time"
                ),
            ),
            (NoPlace::TooLate, _) => (
                format!(
                    "the deadline of the step passed before the model `{}` could be asked",
                    self.request.model
                ),
                "give the step more time".to_owned(),
            ),
        };
        Failure::new(FailureKind::ModelUnreachable, message).with_help(help)
    }

    /// JSON that ends before its end is of no use; a text may be.
    fn is_cut(&self, said: &Said) -> bool {
        let cut = matches!(said.finish_reason.as_deref(), Some("length" | "max_tokens"));
        cut && (self.request.format.is_json() || said.text.is_empty())
    }

    fn cut_words(&self) -> String {
        format!("the reply of the model `{}` is cut: it reached its limit of tokens", self.request.model)
    }

    fn cut(&self, said: &Said, usage: Usage) -> Failure {
        let message = format!("{}, {}", self.cut_words(), usage.completion_tokens);
        let help = format!("set a larger `max_tokens` in [models.{}], or ask for less", self.request.model);
        let mut failure = Failure::new(FailureKind::ReplyCut, message).with_help(help);
        failure.output =
            Some(Box::new(crate::faculty::Output { stdout: said.text.clone(), stderr: String::new() }));
        failure
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ReplyFormat;
    use crate::faculty::llm::meter::{NoLimit, Reservation};
    use std::collections::VecDeque;
    use std::sync::Mutex;

    /// Answers what it was told to, and keeps what it was asked.
    struct Told {
        answers: Mutex<VecDeque<Result<Said, Refused>>>,
        limits: Arc<Mutex<Vec<Option<u32>>>>,
    }

    impl Provider for Told {
        fn ask(&self, asked: &Asked<'_>) -> Result<Said, Refused> {
            self.limits.lock().unwrap().push(asked.max_tokens);
            self.answers.lock().unwrap().pop_front().unwrap()
        }
    }

    /// Lets so many tokens of reply through.
    struct Budget(u64);

    impl Meter for Budget {
        fn admit(&self, _: &ChatRequest, estimate: &Estimate) -> Result<Reservation, Failure> {
            match estimate.completion_limit {
                Some(limit) if limit > self.0 => {
                    Err(Failure::new(FailureKind::BudgetSpent, "no tokens left"))
                }
                _ => Ok(Reservation::default()),
            }
        }

        fn settle(&self, _: &ChatRequest, _: Reservation, _: Option<Usage>) {}
    }

    fn said(text: &str, finish: &str) -> Result<Said, Refused> {
        let usage = Some(Usage { prompt_tokens: 7, completion_tokens: 5, estimated: false });
        let finish_reason = Some(finish.to_owned());
        Ok(Said { text: text.to_owned(), finish_reason, model: None, usage, status: Some(200) })
    }

    fn refused(status: u16, again: Again) -> Result<Said, Refused> {
        let failure = Failure::new(FailureKind::ModelRefused, format!("status {status}"));
        Err(Refused { failure: Box::new(failure), status: Some(status), again, usage: None })
    }

    struct Run {
        result: Result<ChatReply, Failure>,
        limits: Vec<Option<u32>>,
        left: usize,
    }

    fn run(
        answers: Vec<Result<Said, Refused>>,
        budget: Option<u64>,
        request: &ChatRequest,
        seconds: Option<u64>,
    ) -> Run {
        let limits = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::new(Told { answers: Mutex::new(answers.into()), limits: limits.clone() });
        struct Shared(Arc<Told>);
        impl Provider for Shared {
            fn ask(&self, asked: &Asked<'_>) -> Result<Said, Refused> {
                self.0.ask(asked)
            }
        }
        let line = Line {
            provider: Box::new(Shared(told.clone())),
            name: Arc::from("p"),
            gate: Gate::new(1),
            pace: Pace::new(None, None),
            tries: 5,
            timeout: Duration::from_secs(120),
        };
        let meter: Arc<dyn Meter> = match budget {
            Some(tokens) => Arc::new(Budget(tokens)),
            None => Arc::new(NoLimit),
        };
        let hooks = Hooks { stop: Stop::default(), hold: Stop::default(), meter, observer: None };
        let deadline = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
        let caller = Caller { deadline, ..Caller::default() };
        let result = line.chat(request, &ModelConfig::new("m", "p"), &caller, &hooks);
        let limits = limits.lock().unwrap().clone();
        let left = told.answers.lock().unwrap().len();
        Run { result, limits, left }
    }

    fn text() -> ChatRequest {
        ChatRequest::new("m", "hello")
    }

    fn json(max_tokens: Option<u32>) -> ChatRequest {
        ChatRequest { format: ReplyFormat::Json, max_tokens, ..text() }
    }

    #[test]
    fn tries_go_on_until_one_gives_a_reply() {
        let soon = Again::After(Duration::from_millis(1));
        let answers = vec![refused(503, soon), refused(429, soon), said("yes", "stop")];
        let reply = run(answers, None, &text(), None).result.unwrap();
        let outcomes: Vec<_> = reply.tries.iter().map(|t| (&*t.outcome, t.status)).collect();
        assert_eq!(outcomes, [("model_refused", Some(503)), ("model_refused", Some(429)), ("ok", Some(200))]);
        assert_eq!((&*reply.text, reply.usage.prompt_tokens, &*reply.model), ("yes", 7, "m"));
    }

    #[test]
    fn five_tries_are_enough() {
        let soon = Again::After(Duration::from_millis(1));
        let found = run((0..9).map(|_| refused(503, soon)).collect(), None, &text(), None);
        assert_eq!(found.result.unwrap_err().message, "status 503 (after 5 tries)");
        assert_eq!(found.left, 4);
        let once = run(vec![refused(400, Again::No), said("", "")], None, &text(), None);
        assert_eq!((once.result.unwrap_err().message.as_str(), once.left), ("status 400", 1));
    }

    #[test]
    fn a_wait_that_passes_the_deadline_is_not_begun() {
        let began = Instant::now();
        let hour = Again::After(Duration::from_secs(3600));
        let message =
            |seconds| run(vec![refused(429, hour)], None, &text(), seconds).result.unwrap_err().message;
        assert_eq!(
            message(Some(60)),
            "status 429 (it asks to wait 3600 s, and the deadline of the step is before that)"
        );
        assert_eq!(message(None), "status 429 (it asks to wait 3600 s; no more than 300 s are waited)");
        let late = run(vec![said("", "stop")], None, &text(), Some(0));
        assert_eq!((late.result.unwrap_err().kind, late.left), (FailureKind::ModelUnreachable, 1));
        assert!(began.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_cut_reply_gets_twice_the_room_once() {
        let cut = || said("{\"a\": ", "length");
        let found = run(vec![cut(), said("{}", "stop")], None, &json(Some(10)), None);
        assert_eq!(found.limits, [Some(10), Some(20)]);
        let reply = found.result.unwrap();
        assert_eq!((&*reply.text, &*reply.tries[0].outcome), ("{}", "reply_cut"));
        // Without a limit of ours, what the server gave is the measure.
        assert_eq!(run(vec![cut(), said("{}", "stop")], None, &json(None), None).limits, [None, Some(10)]);
        let twice = run(vec![cut(), cut(), said("{}", "stop")], None, &json(Some(10)), None);
        let failure = twice.result.unwrap_err();
        assert_eq!((failure.kind, twice.left), (FailureKind::ReplyCut, 1));
        assert_eq!(failure.output.unwrap().stdout, "{\"a\": ");
        let poor = run(vec![cut(), said("{}", "stop")], Some(15), &json(Some(10)), None);
        let failure = poor.result.unwrap_err();
        assert_eq!((failure.kind, poor.left), (FailureKind::ReplyCut, 1));
        assert!(failure.help.unwrap().contains("budget"));
        let none = run(vec![], Some(5), &json(Some(10)), None);
        assert_eq!(none.result.unwrap_err().kind, FailureKind::BudgetSpent);
        // A text that is cut is still a text.
        let reply = run(vec![said("so far", "length")], None, &text(), None).result.unwrap();
        assert_eq!((&*reply.text, reply.finish_reason.as_deref()), ("so far", Some("length")));
    }
}
