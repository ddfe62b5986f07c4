//! What calls have used: an exact sum that adds up in any order (semantics spec, section 14.1). Knows no steps: who
//! keeps one sum a step, a plan and a run makes them from the same parts.
//!
//! Every try counts, also one whose reply could not be used. Where a server does not say how many tokens there were,
//! they are estimated ([`super::estimated_tokens`]: a token for four ASCII characters, one for each other character,
//! rounded up), and the sum says how many tries that was.

use std::iter::Sum;
use std::ops::AddAssign;

use super::price::Money;
use super::request::{ChatReply, Price, Try, Usage};

/// What was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// Calls that were answered or failed in the end.
    pub calls: u64,
    /// Those of them whose reply was recorded before; they cost nothing.
    pub replayed: u64,
    /// Tries that were made for them.
    pub tries: u64,
    /// Tokens of messages.
    pub prompt_tokens: u64,
    /// Tokens of replies.
    pub completion_tokens: u64,
    /// Tries whose tokens are an estimate.
    pub estimated: u64,
    /// What was paid.
    pub cost: Money,
}

impl Used {
    /// What one try used, which is no call yet; without a price it costs nothing.
    pub fn of_usage(usage: Usage, price: Option<Price>) -> Self {
        Self {
            tries: 1,
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            estimated: u64::from(usage.estimated),
            cost: price.map_or(Money::ZERO, |p| p.cost(usage.prompt_tokens, usage.completion_tokens)),
            ..Self::default()
        }
    }

    /// What one try used, as it is told to who observes tries.
    pub fn of_try(made: &Try, price: Option<Price>) -> Self {
        let usage = Usage {
            prompt_tokens: made.prompt_tokens,
            completion_tokens: made.completion_tokens,
            estimated: false,
        };
        Self::of_usage(usage, price)
    }

    /// What an answered call used, all its tries.
    pub fn of_reply(reply: &ChatReply, price: Option<Price>) -> Self {
        let call = Self {
            calls: 1,
            replayed: u64::from(reply.replayed),
            estimated: u64::from(reply.usage.estimated && !reply.replayed),
            ..Self::default()
        };
        if reply.replayed {
            return call;
        }
        reply.tries.iter().map(|made| Self::of_try(made, price)).fold(call, Self::plus)
    }

    /// The sum of both.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            calls: self.calls.saturating_add(other.calls),
            replayed: self.replayed.saturating_add(other.replayed),
            tries: self.tries.saturating_add(other.tries),
            prompt_tokens: self.prompt_tokens.saturating_add(other.prompt_tokens),
            completion_tokens: self.completion_tokens.saturating_add(other.completion_tokens),
            estimated: self.estimated.saturating_add(other.estimated),
            cost: self.cost.plus(other.cost),
        }
    }

    /// Tokens of messages and replies together.
    pub const fn tokens(&self) -> u64 {
        self.prompt_tokens.saturating_add(self.completion_tokens)
    }

    /// What was paid in millionths of a unit, a begun one counted whole.
    pub fn micros(&self) -> u64 {
        self.cost.micros()
    }
}

impl AddAssign for Used {
    fn add_assign(&mut self, other: Self) {
        *self = self.plus(other);
    }
}

impl Sum for Used {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), Self::plus)
    }
}

/// A number with its digits in groups of three.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    const PRICE: Price = Price { input: 150_000, output: 600_000 };

    fn made(prompt_tokens: u64, completion_tokens: u64) -> Try {
        let outcome = Arc::from("ok");
        Try { outcome, status: None, millis: 1, waited_millis: 0, prompt_tokens, completion_tokens }
    }

    fn reply(tries: Vec<Try>, estimated: bool, replayed: bool) -> ChatReply {
        let usage = Usage { prompt_tokens: 10, completion_tokens: 5, estimated };
        let (text, model) = (Arc::from("t"), Arc::from("m"));
        ChatReply { text, finish_reason: None, model, usage, tries, millis: 1, replayed }
    }

    #[test]
    fn every_try_is_counted_and_a_replayed_reply_costs_nothing() {
        let spent = Used::of_reply(&reply(vec![made(10, 0), made(10, 5)], false, false), Some(PRICE));
        assert_eq!((spent.calls, spent.tries, spent.prompt_tokens, spent.completion_tokens), (1, 2, 20, 5));
        assert_eq!(spent.cost, PRICE.cost(20, 5));
        assert_eq!(spent.estimated, 0);
        assert_eq!(Used::of_reply(&reply(vec![made(1, 1)], true, false), None).estimated, 1);
        let replayed = Used::of_reply(&reply(Vec::new(), true, true), Some(PRICE));
        assert_eq!(replayed, Used { calls: 1, replayed: 1, ..Used::default() });
    }

    #[test]
    fn digits_stand_in_groups_of_three() {
        assert_eq!(grouped(u64::MAX), "18 446 744 073 709 551 615");
        assert_eq!([grouped(0), grouped(999), grouped(1000)], ["0", "999", "1 000"]);
    }

    fn any_spent() -> impl Strategy<Value = Used> {
        (0..9_u64, 0..99_u64, any::<u32>(), any::<u32>(), any::<u64>()).prop_map(
            |(calls, tries, a, b, cost)| Used {
                calls,
                replayed: calls / 2,
                tries,
                prompt_tokens: a.into(),
                completion_tokens: b.into(),
                estimated: tries / 2,
                cost: Money::from_picos(cost.into()),
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn sums_do_not_depend_on_their_order(mut parts in prop::collection::vec(any_spent(), 0..6)) {
            let sum: Used = parts.iter().copied().sum();
            parts.reverse();
            prop_assert_eq!(sum, parts.iter().copied().sum());
        }
    }
}
