//! Run ids: 128 bits, time ordered, 26 characters of Crockford's base 32 (durability spec, section 3).

const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A fresh run id.
pub fn new_run_id() -> String {
    encode(uuid::Uuid::now_v7().as_u128())
}

/// When a run id was made, in milliseconds since 1970: its first ten digits. None for a text that is no id.
pub fn made_at(id: &str) -> Option<u64> {
    if id.len() != 26 {
        return None;
    }
    let digit = |c: u8| DIGITS.iter().position(|d| *d == c).map(|at| at as u64);
    id.bytes().take(10).try_fold(0, |sum, c| Some(sum << 5 | digit(c)?))
}

fn encode(bits: u128) -> String {
    (0..26).rev().map(|digit| char::from(DIGITS[(bits >> (digit * 5)) as usize & 31])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_26_characters_and_keep_their_order() {
        assert_eq!(encode(0), "0".repeat(26));
        assert_eq!(encode(u128::MAX), format!("7{}", "Z".repeat(25)));
        assert!(encode(31) < encode(32));
        assert_ne!(new_run_id(), new_run_id());
    }

    #[test]
    fn an_id_tells_when_it_was_made() {
        let now = || uuid::Uuid::now_v7().as_u128() >> 80;
        let before = now();
        let made = u128::from(made_at(&new_run_id()).unwrap());
        assert!(made >= before && made <= now());
        assert_eq!(made_at("short"), None);
        assert_eq!(made_at(&"u".repeat(26)), None);
    }
}
