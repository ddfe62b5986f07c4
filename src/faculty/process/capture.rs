//! What a process prints, up to a limit.

use std::os::fd::AsFd;

use rustix::io::Errno;

/// Bytes kept of each stream of one call (semantics spec, section 14.2).
pub(in crate::faculty) const LIMIT: usize = 16 << 20;

/// How often a stream is read in one go: a process that prints without end must not hold up an answer.
const ROUNDS: usize = 64;

/// The bytes of one stream of one call.
#[derive(Debug)]
pub(in crate::faculty) struct Capture {
    bytes: Vec<u8>,
    cut: u64,
    limit: usize,
}

impl Default for Capture {
    fn default() -> Self {
        Self::with_limit(LIMIT)
    }
}

impl Capture {
    /// Keeps that many bytes and counts the rest.
    pub(in crate::faculty) fn with_limit(limit: usize) -> Self {
        Self { bytes: Vec::new(), cut: 0, limit }
    }

    /// Returns whether more came than is kept.
    pub(in crate::faculty) fn is_cut(&self) -> bool {
        self.cut > 0
    }

    /// What was kept.
    pub(in crate::faculty) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn push(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_sub(self.bytes.len()).min(bytes.len());
        let (kept, rest) = bytes.split_at(room);
        self.bytes.extend_from_slice(kept);
        self.cut += rest.len() as u64;
    }

    /// Reads what is there without waiting; false when nobody can write to the stream any more.
    pub(in crate::faculty) fn drain(&mut self, stream: impl AsFd) -> bool {
        let mut buffer = [0; 65_536];
        for _ in 0..ROUNDS {
            match rustix::io::read(&stream, &mut buffer) {
                Ok(0) => return false,
                Ok(read) => self.push(buffer.get(..read).unwrap_or(&[])),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return true,
                Err(_) => return false,
            }
        }
        true
    }

    /// The text, with a note when it was cut; bytes that are no UTF-8 become `U+FFFD`.
    pub(in crate::faculty) fn into_text(self) -> String {
        let mut text = String::from_utf8(self.bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        if self.cut > 0 {
            text.push_str(&format!("\n[cut: {} more bytes]\n", self.cut));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_output_is_cut_with_a_note() {
        let mut capture = Capture::default();
        capture.push(&vec![b'a'; LIMIT - 1]);
        capture.push("bcd".as_bytes());
        let text = capture.into_text();
        assert!(text.ends_with("ab\n[cut: 2 more bytes]\n"), "{}", &text[LIMIT - 5..]);
    }
}
