//! The time of the run's clock. Asks no clock of its own.

use super::args::Args;
use crate::base::Value;
use crate::faculty::Failure;

const DAY: u64 = 86_400_000;

/// Arguments are not looked at: they only say what must be there before.
pub(super) fn now(args: &Args<'_>) -> Result<Value, Failure> {
    Ok(Value::text(utc(args.clock().now_millis())))
}

/// Milliseconds since 1970 as date and time in UTC (RFC 3339).
fn utc(millis: u64) -> String {
    let (days, rest) = (millis / DAY, millis % DAY);
    // Years are counted from March, so that the leap day is the last of its year; 400 years have 146097 days.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
    let (second, milli) = (rest / 1000 % 60, rest % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_200_000, "2024-03-01T00:00:00.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (1_763_825_900_123, "2025-11-22T15:38:20.123Z"),
        ];
        for (millis, wanted) in cases {
            assert_eq!(utc(millis), wanted);
        }
    }
}
