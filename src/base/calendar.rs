//! Moments in milliseconds since 1970 as dates and times in UTC. Asks no clock.

const DAY: u64 = 86_400_000;

/// Year, month and day of a day counted from 1970 (Gregorian, also before it was in use).
fn civil(days: u64) -> (u64, u64, u64) {
    // Years are counted from March, so that the leap day is the last of its year; 719 468 days lie before 1970.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// The day of a moment in milliseconds since 1970: `2026-03-01`.
pub fn date(millis: u64) -> String {
    let (year, month, day) = civil(millis / DAY);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The time of day of a moment, to the millisecond: `19:22:29.123`.
pub fn time_of_day(millis: u64) -> String {
    let (seconds, rest) = (millis % DAY / 1000, millis % 1000);
    format!("{:02}:{:02}:{:02}.{rest:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A moment as ISO 8601 has it, in UTC: `2026-03-01T19:22:29.123Z`.
pub fn iso(millis: u64) -> String {
    format!("{}T{}Z", date(millis), time_of_day(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(iso(millis), wanted);
        }
    }
}
