//! Who is asked before a try and told after it: budgets and accounting stand behind this. Knows no numbers itself.

use super::request::{Caller, ChatRequest, Price, Try, Usage};
use crate::faculty::Failure;

/// What a try may cost at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// About how many tokens the messages are.
    pub prompt_tokens: u64,
    /// How many tokens the reply may have; none when neither the request nor the model sets a limit.
    pub completion_limit: Option<u64>,
    /// What the model costs, if that is known.
    pub price: Option<Price>,
}

/// A try that was admitted. It is given back by [`Meter::settle`], always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reservation {
    /// The meter's own number for it.
    pub ticket: u64,
    /// The reply may have so many tokens and no more, whatever the request says.
    pub completion_cap: Option<u32>,
}

/// Budget and accounting of tries.
pub trait Meter: Send + Sync {
    /// Asked before every try.
    ///
    /// # Errors
    /// [`crate::faculty::FailureKind::BudgetSpent`] when the try would pass the budget; it is then not made.
    fn admit(&self, request: &ChatRequest, estimate: &Estimate) -> Result<Reservation, Failure>;

    /// Told after every try that was admitted; none when the try cost nothing: it was not answered, or refused.
    fn settle(&self, request: &ChatRequest, reservation: Reservation, usage: Option<Usage>);
}

/// A meter without limits that keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLimit;

impl Meter for NoLimit {
    fn admit(&self, _: &ChatRequest, _: &Estimate) -> Result<Reservation, Failure> {
        Ok(Reservation::default())
    }

    fn settle(&self, _: &ChatRequest, _: Reservation, _: Option<Usage>) {}
}

/// Hears of every try, also of those of a call that fails in the end.
pub trait Observer: Send + Sync {
    /// A try is over.
    fn tried(&self, request: &ChatRequest, caller: &Caller, made: &Try);
}

/// A try that was admitted, for as long as it lasts. Whatever becomes of it, a panic included, its reservation is
/// given back: as what it used when that was told, else as nothing.
pub struct Admitted<'a> {
    meter: &'a dyn Meter,
    request: &'a ChatRequest,
    reservation: Reservation,
    usage: Option<Usage>,
}

impl<'a> Admitted<'a> {
    /// Asks the meter.
    ///
    /// # Errors
    /// As [`Meter::admit`].
    pub fn ask(meter: &'a dyn Meter, request: &'a ChatRequest, estimate: &Estimate) -> Result<Self, Failure> {
        let reservation = meter.admit(request, estimate)?;
        Ok(Self { meter, request, reservation, usage: None })
    }

    /// The reply may have so many tokens and no more, whatever the request says.
    pub fn completion_cap(&self) -> Option<u32> {
        self.reservation.completion_cap
    }

    /// The try is over and used this; none when it cost nothing.
    pub fn settle(mut self, usage: Option<Usage>) {
        self.usage = usage;
    }
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        self.meter.settle(self.request, self.reservation, self.usage);
    }
}
