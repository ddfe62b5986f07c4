//! Budgets: limits of cost and tokens that are kept before a call is made, however many are in flight (semantics spec,
//! sections 14.1 and 16). Knows no steps and no run: what was spent before is told to it.
//!
//! A try is admitted when what was spent, what the tries in flight may still cost, and what this one may cost stay
//! within the limits together. What a try may cost is the estimate of its prompt and the whole reply it may give; a
//! try without a limit of its reply gets one, which the provider has to keep ([`Reservation::completion_cap`]).
//! Afterwards what it really used takes the place of that.
//!
//! How many tokens a prompt has is only estimated, so what a server counts beyond the estimate is learned by model and
//! expected of its next tries too. Before the first reply of a model, only as many tries fly at once as would fit if
//! every byte were a token. A server that then uses more than ever before can pass the limit by that much.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::meter::{Estimate, Meter, Reservation};
use super::price::Money;
use super::request::{ChatRequest, Price, Usage};
use super::usage::{Used, grouped};
use crate::faculty::{Failure, FailureKind};

/// So many tokens are reserved for a reply without a limit of its own.
pub const COMPLETION_RESERVE: u32 = 4096;

/// So many tokens a server may put around a prompt.
const FRAME: u64 = 256;

/// The limits of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// At most this is paid.
    pub max_cost: Option<Money>,
    /// At most so many tokens are used, prompts and replies together.
    pub max_tokens: Option<u64>,
    /// So many tokens are reserved for a reply without a limit of its own, and allowed to it.
    pub completion_reserve: u32,
    /// How long a try waits for others in flight to give back what they do not need, when it fits into what is left
    /// without them. Zero refuses it at once.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_cost: None,
            max_tokens: None,
            completion_reserve: COMPLETION_RESERVE,
            patience: Duration::ZERO,
        }
    }
}

/// What one try may use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Need {
    cost: Money,
    tokens: u64,
}

impl Need {
    const fn plus(self, other: Self) -> Self {
        Self { cost: self.cost.plus(other.cost), tokens: self.tokens.saturating_add(other.tokens) }
    }

    const fn minus(self, other: Self) -> Self {
        Self { cost: self.cost.minus(other.cost), tokens: self.tokens.saturating_sub(other.tokens) }
    }
}

/// A try that was admitted and has not ended.
#[derive(Debug, Clone)]
struct Flying {
    model: Arc<str>,
    estimate: Asking,
    /// What is reserved for it.
    need: Need,
    /// What it may use at the very most.
    bound: Need,
}

/// What is known of a try before it is made.
#[derive(Debug, Clone, Copy)]
struct Asking {
    prompt_tokens: u64,
    /// No tokenizer makes more of the prompt.
    prompt_bound: u64,
    completion: u64,
    price: Option<Price>,
}

impl Asking {
    /// With so much more of prompt and reply than is said.
    fn beyond(&self, (prompt, completion): (u64, u64)) -> Need {
        self.need(self.prompt_tokens.saturating_add(prompt), self.completion.saturating_add(completion))
    }

    fn need(&self, prompt_tokens: u64, completion: u64) -> Need {
        Need {
            cost: self.price.map_or(Money::ZERO, |price| price.cost(prompt_tokens, completion)),
            tokens: prompt_tokens.saturating_add(completion),
        }
    }
}

#[derive(Debug, Default)]
struct State {
    spent: Used,
    /// INVARIANT: the sum of `flying`.
    reserved: Need,
    /// INVARIANT: the sum of their bounds.
    bound: Need,
    /// By model, the most tokens of prompt and of reply that its server counted beyond what was expected.
    beyond: BTreeMap<Arc<str>, (u64, u64)>,
    flying: BTreeMap<u64, Flying>,
    last_ticket: u64,
    closed: bool,
}

impl State {
    /// Expects of all tries of a model what one of them has shown.
    fn learn(&mut self, shown: &Flying, usage: Usage) {
        let beyond = self.beyond.entry(Arc::clone(&shown.model)).or_default();
        if usage.estimated {
            return;
        }
        let prompt = usage.prompt_tokens.saturating_sub(shown.estimate.prompt_tokens);
        let completion = usage.completion_tokens.saturating_sub(shown.estimate.completion);
        let more = (beyond.0.max(prompt), beyond.1.max(completion));
        if more == std::mem::replace(beyond, more) {
            return;
        }
        for other in self.flying.values_mut().filter(|other| other.model == shown.model) {
            let need = other.estimate.beyond(more);
            self.reserved = self.reserved.minus(other.need).plus(need);
            other.need = need;
        }
    }
}

/// Which limit stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passed {
    Cost,
    Tokens,
}

/// The budget of a run. Keeps account also where nothing is limited.
#[derive(Debug)]
pub struct Budget {
    limits: Limits,
    state: Mutex<State>,
    settled: Condvar,
}

impl Budget {
    /// A budget with these limits; `already` was spent before, by the same run.
    pub fn new(limits: Limits, already: Used) -> Self {
        let state = State { spent: already, ..State::default() };
        Self { limits, state: Mutex::new(state), settled: Condvar::new() }
    }

    /// What was spent so far, with what was spent before. Its `calls` are those of before: only tries are seen here.
    pub fn spent(&self) -> Used {
        self.state().spent
    }

    /// How many tries are in flight.
    pub fn in_flight(&self) -> usize {
        self.state().flying.len()
    }

    /// Nobody waits for others any more: the run is being stopped.
    pub fn close(&self) {
        self.state().closed = true;
        self.settled.notify_all();
    }

    /// Nothing here is left half done by a panic, so a poisoned lock is as good as any.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn passed(&self, used: Need) -> Option<Passed> {
        if self.limits.max_cost.is_some_and(|limit| used.cost > limit) {
            return Some(Passed::Cost);
        }
        self.limits.max_tokens.filter(|limit| used.tokens > *limit).map(|_| Passed::Tokens)
    }

    /// Waits until the try fits, or cannot fit however the others end.
    fn take(&self, model: &Arc<str>, asking: Asking) -> Result<u64, (Passed, [Need; 3])> {
        let deadline = Instant::now().checked_add(self.limits.patience);
        let mut state = self.state();
        loop {
            let spent = Need { cost: state.spent.cost, tokens: state.spent.tokens() };
            let beyond = state.beyond.get(model).copied();
            let need = asking.beyond(beyond.unwrap_or_default());
            let bound = match beyond {
                Some(_) => need,
                None => asking.need(asking.prompt_bound.max(asking.prompt_tokens), asking.completion),
            };
            let left = deadline.map_or(Duration::ZERO, |d| d.saturating_duration_since(Instant::now()));
            let may_wait = !state.closed && !left.is_zero() && !state.flying.is_empty();
            match self.passed(spent.plus(state.reserved).plus(need)) {
                // It fits as far as is known; of a model that is not known yet, the replies on their way tell more.
                None if may_wait
                    && beyond.is_none()
                    && self.passed(spent.plus(state.bound).plus(bound)).is_some() => {}
                None => {
                    state.last_ticket += 1;
                    let ticket = state.last_ticket;
                    state.reserved = state.reserved.plus(need);
                    state.bound = state.bound.plus(bound);
                    let flying = Flying { model: Arc::clone(model), estimate: asking, need, bound };
                    state.flying.insert(ticket, flying);
                    return Ok(ticket);
                }
                Some(passed) if !may_wait || self.passed(spent.plus(need)).is_some() => {
                    return Err((passed, [spent, state.reserved, need]));
                }
                Some(_) => {}
            }
            state = self.settled.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn refusal(&self, (passed, [spent, reserved, need]): (Passed, [Need; 3])) -> Failure {
        let (limit, spent, reserved, need, option) = match passed {
            Passed::Cost => (
                self.limits.max_cost.unwrap_or_default().to_string(),
                spent.cost.to_string(),
                (reserved.cost > Money::ZERO).then(|| reserved.cost.to_string()),
                need.cost.to_string(),
                "--max-cost",
            ),
            Passed::Tokens => (
                format!("{} tokens", grouped(self.limits.max_tokens.unwrap_or_default())),
                grouped(spent.tokens),
                (reserved.tokens > 0).then(|| grouped(reserved.tokens)),
                grouped(need.tokens),
                "--max-tokens",
            ),
        };
        let reserved =
            reserved.map_or(String::new(), |amount| format!(", calls in flight may need {amount} of it"));
        let message =
            format!("the budget of {limit} is spent: {spent} used{reserved}, the next call may need {need}");
        Failure::new(FailureKind::BudgetSpent, message)
            .with_help(format!("go on with `normc exec --resume` and a higher `{option}`"))
    }
}

impl Meter for Budget {
    fn admit(&self, request: &ChatRequest, estimate: &Estimate) -> Result<Reservation, Failure> {
        let limited = self.limits.max_cost.is_some() || self.limits.max_tokens.is_some();
        if self.limits.max_cost.is_some() && estimate.price.is_none() {
            let message =
                format!("the model `{}` has no price, so `--max-cost` cannot be kept", request.model);
            return Err(Failure::new(FailureKind::BadConfiguration, message).with_help(
                "give it one, in millionths for a million tokens: `price = { input = 150000, output = 600000 }`, \
                 zeros when it costs nothing; or limit the run with `--max-tokens`",
            ));
        }
        let cap = self.limits.completion_reserve;
        let completion = estimate.completion_limit.unwrap_or(u64::from(cap));
        let bytes = request.prompt.len() + request.system.as_ref().map_or(0, |text| text.len());
        let asking = Asking {
            prompt_tokens: estimate.prompt_tokens,
            prompt_bound: (bytes as u64).saturating_add(FRAME),
            completion,
            price: estimate.price,
        };
        let ticket = self.take(&request.model, asking).map_err(|refused| self.refusal(refused))?;
        let completion_cap = (limited && estimate.completion_limit.is_none()).then_some(cap);
        Ok(Reservation { ticket, completion_cap })
    }

    fn settle(&self, _: &ChatRequest, reservation: Reservation, usage: Option<Usage>) {
        let mut state = self.state();
        // What was given back already is not given back twice.
        let Some(flying) = state.flying.remove(&reservation.ticket) else { return };
        state.reserved = state.reserved.minus(flying.need);
        state.bound = state.bound.minus(flying.bound);
        match usage {
            Some(usage) => {
                state.spent += Used::of_usage(usage, flying.estimate.price);
                state.learn(&flying, usage);
            }
            None => state.spent.tries = state.spent.tries.saturating_add(1),
        }
        drop(state);
        self.settled.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use proptest::prelude::*;

    use super::*;
    use crate::faculty::llm::meter::Admitted;

    const PRICE: Price = Price { input: 1_000_000, output: 2_000_000 };

    fn request() -> ChatRequest {
        ChatRequest::new("m", "p")
    }

    fn estimate(prompt_tokens: u64, completion: u64) -> Estimate {
        Estimate { prompt_tokens, completion_limit: Some(completion), price: Some(PRICE) }
    }

    fn used(prompt_tokens: u64, completion_tokens: u64) -> Option<Usage> {
        Some(Usage { prompt_tokens, completion_tokens, estimated: false })
    }

    fn limited(max_cost_micros: Option<u64>, max_tokens: Option<u64>, already: Used) -> Budget {
        let max_cost = max_cost_micros.map(Money::from_micros);
        Budget::new(Limits { max_cost, max_tokens, ..Limits::default() }, already)
    }

    #[test]
    fn the_call_that_would_pass_the_limit_is_not_made() {
        let budget = limited(None, Some(100), Used::default());
        let first = budget.admit(&request(), &estimate(30, 30)).unwrap();
        let refused = budget.admit(&request(), &estimate(30, 30)).unwrap_err();
        assert_eq!(refused.kind, FailureKind::BudgetSpent);
        assert_eq!(
            refused.message,
            "the budget of 100 tokens is spent: 0 used, calls in flight may need 60 of it, the next call may need 60"
        );
        assert!(refused.help.unwrap().contains("`normc exec --resume` and a higher `--max-tokens`"));
        budget.settle(&request(), first, used(30, 10));
        let second = budget.admit(&request(), &estimate(30, 30)).expect("40 + 60 are 100, which is allowed");
        budget.settle(&request(), second, used(30, 30));
        assert!(budget.admit(&request(), &estimate(1, 0)).is_err());
        assert_eq!(budget.spent().tokens(), 100);
    }

    #[test]
    fn money_is_counted_with_what_was_spent_before() {
        let already = Used { calls: 7, cost: Money::from_micros(400_000), ..Used::default() };
        let budget = limited(Some(500_000), None, already);
        // 10 000 tokens at 1.00 and 40 000 at 2.00 for a million are 0.09.
        let first = budget.admit(&request(), &estimate(10_000, 40_000)).unwrap();
        let refused = budget.admit(&request(), &estimate(10_000, 40_000)).unwrap_err();
        assert_eq!(
            refused.message,
            "the budget of 0.50 is spent: 0.40 used, calls in flight may need 0.09 of it, the next call may need 0.09"
        );
        assert!(refused.help.unwrap().contains("--max-cost"));
        budget.settle(&request(), first, None);
        assert_eq!(budget.spent(), Used { tries: 1, ..already });
        assert_eq!(budget.in_flight(), 0);
    }

    #[test]
    fn a_model_without_a_price_has_no_place_under_a_limit_of_cost() {
        let budget = limited(Some(1), None, Used::default());
        let unpriced = Estimate { price: None, ..estimate(1, 1) };
        let refused = budget.admit(&request(), &unpriced).unwrap_err();
        assert_eq!(refused.kind, FailureKind::BadConfiguration);
        assert!(refused.help.unwrap().contains("--max-tokens"));
        let free = Estimate { price: Some(Price::default()), ..estimate(1 << 40, 1 << 40) };
        assert!(budget.admit(&request(), &free).is_ok());
        assert!(limited(None, Some(10), Used::default()).admit(&request(), &unpriced).is_ok());
    }

    #[test]
    fn a_reply_without_a_limit_gets_one_where_there_is_a_budget() {
        let open = Estimate { completion_limit: None, ..estimate(10, 0) };
        let budget = limited(None, Some(5000), Used::default());
        let reservation = budget.admit(&request(), &open).unwrap();
        assert_eq!(reservation.completion_cap, Some(COMPLETION_RESERVE));
        assert!(budget.admit(&request(), &open).is_err());
        let unlimited = limited(None, None, Used::default());
        assert_eq!(unlimited.admit(&request(), &open).unwrap().completion_cap, None);
    }

    #[test]
    fn numbers_beyond_all_measure_are_refused_not_wrapped() {
        let budget = limited(Some(u64::MAX), Some(u64::MAX - 1), Used::default());
        assert!(budget.admit(&request(), &estimate(u64::MAX, u64::MAX)).is_err());
        assert_eq!(budget.in_flight(), 0);
    }

    #[test]
    fn a_reservation_is_given_back_once_however_the_try_ends() {
        let budget = limited(None, Some(100), Used::default());
        let request = request();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _admitted = Admitted::ask(&budget, &request, &estimate(50, 50)).unwrap();
            panic!("the provider's fault");
        }));
        assert!(panicked.is_err());
        assert_eq!((budget.in_flight(), budget.spent().tokens()), (0, 0));
        drop(Admitted::ask(&budget, &request, &estimate(50, 50)).unwrap());
        Admitted::ask(&budget, &request, &estimate(50, 50)).unwrap().settle(used(20, 30));
        assert_eq!((budget.in_flight(), budget.spent().tokens()), (0, 50));
        let reservation = budget.admit(&request, &estimate(10, 10)).unwrap();
        budget.settle(&request, reservation, used(5, 5));
        budget.settle(&request, reservation, used(5, 5));
        budget.settle(&request, Reservation { ticket: 999, completion_cap: None }, used(5, 5));
        assert_eq!(budget.spent().tokens(), 60);
    }

    #[test]
    fn five_hundred_at_once_stay_within_the_limit() {
        let budget = limited(None, Some(10_000), Used::default());
        let (admitted, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..500 {
                scope.spawn(|| {
                    let Ok(try_) = budget.admit(&request(), &estimate(60, 40)) else { return };
                    admitted.fetch_add(1, Ordering::Relaxed);
                    most.fetch_max(budget.in_flight(), Ordering::Relaxed);
                    thread::sleep(Duration::from_millis(2));
                    budget.settle(&request(), try_, used(60, 40));
                });
            }
        });
        assert_eq!(admitted.load(Ordering::Relaxed), 100, "each uses all that it reserved");
        assert_eq!(budget.spent().tokens(), 10_000);
        assert!(most.load(Ordering::Relaxed) <= 100);
        assert_eq!(budget.in_flight(), 0);
    }

    #[test]
    fn what_a_server_counts_beyond_the_estimate_is_expected_of_the_next() {
        let limits =
            Limits { max_tokens: Some(1000), patience: Duration::from_secs(60), ..Limits::default() };
        let budget = Budget::new(limits, Used::default());
        let (admitted, request) = (AtomicUsize::new(0), ChatRequest::new("m", "p".repeat(40)));
        thread::scope(|scope| {
            for _ in 0..50 {
                scope.spawn(|| {
                    let Ok(try_) = budget.admit(&request, &estimate(10, 20)) else { return };
                    thread::sleep(Duration::from_millis(5));
                    // Six times as many tokens as the prompt seems to have.
                    budget.settle(&request, try_, used(60, 20));
                    admitted.fetch_add(1, Ordering::Relaxed);
                });
            }
        });
        assert_eq!(admitted.load(Ordering::Relaxed), 12, "80 tokens each");
        assert_eq!(budget.spent().tokens(), 960);
        // Another model is another matter.
        let other = ChatRequest::new("n", "p");
        assert!(budget.admit(&request, &estimate(10, 20)).is_err());
        assert!(budget.admit(&other, &estimate(10, 20)).is_ok());
    }

    #[test]
    fn who_may_wait_gets_what_others_give_back() {
        let limits = Limits { max_tokens: Some(150), patience: Duration::from_secs(60), ..Limits::default() };
        let budget = Budget::new(limits, Used::default());
        let done = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..10 {
                scope.spawn(|| {
                    // Only one fits at a time, but each gives back most of it.
                    let try_ = budget.admit(&request(), &estimate(10, 90)).unwrap();
                    budget.settle(&request(), try_, used(5, 0));
                    done.fetch_add(1, Ordering::Relaxed);
                });
            }
        });
        assert_eq!(done.load(Ordering::Relaxed), 10);
        assert_eq!(budget.spent().tokens(), 50);
        assert!(
            budget.admit(&request(), &estimate(10, 91)).is_err(),
            "nobody is waited for who does not fly"
        );
        let flying = budget.admit(&request(), &estimate(10, 90)).unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| budget.admit(&request(), &estimate(10, 90)));
            thread::sleep(Duration::from_millis(20));
            budget.close();
            assert!(waiting.join().unwrap().is_err());
        });
        budget.settle(&request(), flying, None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// However tries begin and end, what was used never passes the limits when none uses more than it may.
        #[test]
        fn the_limit_holds_under_every_interleaving(
            limit in 0..2000_u64,
            cost in 0..4000_u64,
            acts in prop::collection::vec((any::<bool>(), 0..200_u64, 0..200_u64, 0..=100_u64), 1..80),
        ) {
            let budget = limited(Some(cost), Some(limit), Used::default());
            let mut flying: Vec<(Reservation, u64, u64)> = Vec::new();
            let mut expected = Used::default();
            for (begins, prompt, completion, share) in acts {
                if begins || flying.is_empty() {
                    if let Ok(reservation) = budget.admit(&request(), &estimate(prompt, completion)) {
                        flying.push((reservation, prompt, completion));
                    }
                } else {
                    let at = (prompt as usize) % flying.len();
                    let (reservation, prompt, completion) = flying.swap_remove(at);
                    // One in some fails and costs nothing, the others use a part of what they may.
                    let usage = if share < 10 { None } else { used(prompt * share / 100, completion * share / 100) };
                    expected += usage.map_or(Used { tries: 1, ..Used::default() }, |u| Used::of_usage(u, Some(PRICE)));
                    budget.settle(&request(), reservation, usage);
                }
                let may: u64 = flying.iter().map(|(_, p, c)| p + c).sum();
                let may_cost = flying.iter().map(|(_, p, c)| PRICE.cost(*p, *c)).fold(Money::ZERO, Money::plus);
                let spent = budget.spent();
                prop_assert_eq!(spent, expected);
                prop_assert!(spent.tokens() + may <= limit);
                prop_assert!(spent.cost.plus(may_cost) <= Money::from_micros(cost));
                prop_assert_eq!(budget.in_flight(), flying.len());
            }
            for (reservation, ..) in flying {
                budget.settle(&request(), reservation, None);
            }
            prop_assert_eq!(budget.state().reserved, Need::default());
        }
    }
}
