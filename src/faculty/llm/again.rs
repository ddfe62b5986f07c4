//! When a call is tried again: how long to wait by itself, and how long a server asks to wait. Asks no clock.

use std::time::Duration;

/// The first wait is at most this long; each next one twice as long.
const FIRST: Duration = Duration::from_millis(500);

/// No wait of its own is longer.
const MOST: Duration = Duration::from_secs(30);

/// The wait before try `number + 1`: anything from nothing to a bound that doubles (full jitter). `part` is the random
/// number from 0 to 1.
pub(super) fn backoff(number: u32, part: f64) -> Duration {
    let bound =
        FIRST.saturating_mul(1_u32.checked_shl(number.saturating_sub(1)).unwrap_or(u32::MAX)).min(MOST);
    bound.mul_f64(part.clamp(0.0, 1.0))
}

/// The wait that a header `Retry-After` asks for: seconds, or an HTTP date, which is taken against the server's own
/// `Date` where it gives one. None when it cannot be read.
pub(super) fn retry_after(header: &str, date: Option<&str>, now: u64) -> Option<Duration> {
    let header = header.trim();
    if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are a wait that nobody waits, and that clocks can be set to.
        return Some(Duration::from_secs(header.parse::<u32>().unwrap_or(u32::MAX).into()));
    }
    if let Ok(seconds) = header.parse::<f64>() {
        return (0.0..=1e9).contains(&seconds).then(|| Duration::from_secs_f64(seconds));
    }
    let at = http_date(header)?;
    let now = date.and_then(http_date).unwrap_or(now);
    Some(Duration::from_secs(at.saturating_sub(now)))
}

/// Seconds since 1970 of an HTTP date in any of its three forms.
fn http_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    if text.len() > 64 {
        return None;
    }
    let (mut numbers, mut month) = (Vec::new(), None);
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        match word.parse::<u64>() {
            Ok(number) => numbers.push(number),
            Err(_) => {
                let name = word.get(..3).unwrap_or("").to_ascii_lowercase();
                month = MONTHS.iter().position(|m| *m == name).or(month);
            }
        }
    }
    // `06 Nov 1994 08:49:37`, `06-Nov-94 08:49:37` and `Nov  6 08:49:37 1994`.
    let (day, year, hour, minute, second) = match numbers[..] {
        [day, hour, minute, second, year] if year > 99 => (day, year, hour, minute, second),
        [day, year, hour, minute, second] if year < 70 => (day, year + 2000, hour, minute, second),
        [day, year, hour, minute, second] if year < 100 => (day, year + 1900, hour, minute, second),
        [day, year, hour, minute, second] => (day, year, hour, minute, second),
        _ => return None,
    };
    let month = month? as u64 + 1;
    if !(1..=31).contains(&day) || !(1970..10_000).contains(&year) || hour > 23 || minute > 59 || second > 60
    {
        return None;
    }
    // Years are counted from March, so that the leap day is the last of its year; 719 468 days lie before 1970.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1;
    Some((days.checked_sub(719_468)?) * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_are_full_jitter() {
        let bounds: Vec<u64> = (1..9).map(|n| backoff(n, 1.0).as_millis() as u64).collect();
        assert_eq!(bounds, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        assert_eq!(backoff(3, 0.0), Duration::ZERO);
        assert_eq!(backoff(3, 0.5), Duration::from_secs(1));
        assert_eq!(backoff(u32::MAX, 1.0), MOST);
    }

    #[test]
    fn servers_say_how_long_to_wait() {
        let now = 784_111_777;
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let cases = [
            ("0", None, Some(0)),
            (" 17 ", None, Some(17)),
            ("99999999999999999999999", None, Some(u64::from(u32::MAX))),
            ("18446744073709551615", None, Some(u64::from(u32::MAX))),
            (date, None, Some(0)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", None, Some(60)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", None, Some(60)),
            ("Sun Nov  6 08:50:37 1994", None, Some(60)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some("Sun, 06 Nov 1994 08:50:30 GMT"), Some(7)),
            ("Sat, 05 Nov 1994 08:50:37 GMT", None, Some(0)),
            ("Wed, 01 Mar 2000 00:00:00 GMT", Some("Mon, 28 Feb 2000 00:00:00 GMT"), Some(2 * 86_400)),
            ("soon", None, None),
            ("-5", None, None),
            ("", None, None),
            ("Sun, 99 Nov 1994 08:49:37 GMT", None, None),
        ];
        for (header, date, wanted) in cases {
            assert_eq!(retry_after(header, date, now).map(|d| d.as_secs()), wanted, "{header}");
        }
        assert_eq!(retry_after("1.5", None, now), Some(Duration::from_millis(1500)));
    }
}
