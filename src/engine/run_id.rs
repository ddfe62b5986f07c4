//! Run ids: 128 bits, time ordered, 26 characters of Crockford's base 32 (durability spec, section 3).

const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A fresh run id.
pub fn new_run_id() -> String {
    encode(uuid::Uuid::now_v7().as_u128())
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
}
