//! How fast one provider is asked: requests and tokens a minute (semantics spec, section 14.1).

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use super::gate::{Gate, NoPlace};
use super::stop::Stop;

/// The rate of one provider.
pub(super) struct Pace {
    requests: Option<DefaultDirectRateLimiter>,
    tokens: Option<(DefaultDirectRateLimiter, NonZeroU32)>,
    /// One asks the limiters at a time, so that calls go in the order in which they came.
    turn: Gate,
}

impl Pace {
    pub(super) fn new(requests_per_minute: Option<u32>, tokens_per_minute: Option<u32>) -> Self {
        let limiter = |n: NonZeroU32| RateLimiter::direct(Quota::per_minute(n));
        Self {
            requests: requests_per_minute.and_then(NonZeroU32::new).map(limiter),
            tokens: tokens_per_minute.and_then(NonZeroU32::new).map(|n| (limiter(n), n)),
            turn: Gate::new(1),
        }
    }

    /// Waits until one request of so many tokens may be made. A request of more tokens than the minute has takes all
    /// of them.
    ///
    /// `TooLate` is told at once when the wait would pass the deadline.
    pub(super) fn wait(&self, tokens: u64, deadline: Option<Instant>, stop: &Stop) -> Result<(), NoPlace> {
        if self.requests.is_none() && self.tokens.is_none() {
            return Ok(());
        }
        let _turn = self.turn.enter(deadline)?;
        let clock = DefaultClock::default();
        if let Some(requests) = &self.requests {
            while let Err(not_until) = requests.check() {
                pause(not_until.wait_time_from(clock.now()), deadline, stop)?;
            }
        }
        if let Some((limiter, most)) = &self.tokens {
            let wanted = u32::try_from(tokens).unwrap_or(u32::MAX).min(most.get());
            let wanted = NonZeroU32::new(wanted).unwrap_or(NonZeroU32::MIN);
            while let Ok(Err(not_until)) = limiter.check_n(wanted) {
                pause(not_until.wait_time_from(clock.now()), deadline, stop)?;
            }
        }
        Ok(())
    }

    /// Takes tokens that a reply turned out to have beyond what was waited for, as far as the minute still has them.
    pub(super) fn took(&self, tokens: u64) {
        if let (Some((limiter, most)), Some(tokens)) =
            (&self.tokens, NonZeroU32::new(u32::try_from(tokens).unwrap_or(u32::MAX)))
        {
            let _ = limiter.check_n(tokens.min(*most));
        }
    }

    /// Gives nobody a turn any more.
    pub(super) fn close(&self) {
        self.turn.close();
    }
}

fn pause(time: Duration, deadline: Option<Instant>, stop: &Stop) -> Result<(), NoPlace> {
    if deadline.is_some_and(|deadline| Instant::now() + time > deadline) {
        return Err(NoPlace::TooLate);
    }
    stop.wait(time).map_err(|_| NoPlace::Closed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_so_many_requests_and_tokens() {
        let (stop, soon) = (Stop::default(), Some(Instant::now() + Duration::from_secs(2)));
        let free = Pace::new(None, None);
        assert!((0..1000).all(|_| free.wait(1_000_000, soon, &stop).is_ok()));
        let requests = Pace::new(Some(3), None);
        assert!((0..3).all(|_| requests.wait(1_000_000, soon, &stop).is_ok()));
        assert_eq!(requests.wait(0, soon, &stop), Err(NoPlace::TooLate));
        let tokens = Pace::new(None, Some(100));
        assert!(tokens.wait(60, soon, &stop).is_ok());
        tokens.took(10);
        assert!(tokens.wait(30, soon, &stop).is_ok());
        assert_eq!(tokens.wait(30, soon, &stop), Err(NoPlace::TooLate));
        let large = Pace::new(None, Some(100));
        assert!(large.wait(1_000_000, soon, &stop).is_ok(), "more than a minute has");
        stop.stop();
        assert_eq!(tokens.wait(30, None, &stop), Err(NoPlace::Closed));
    }
}
