//! From bytes to text (language spec, section 2.1).

use std::str;

use crate::base::{FileId, Span};
use crate::diag::{Code, Diagnostic};

/// Reads the bytes of a source file as UTF-8. A byte order mark stays: [`super::parse`] skips it, and offsets keep
/// counting from the first byte of the file.
///
/// # Errors
/// `NC001` with the offset of the first byte that is not UTF-8.
pub fn decode(file: FileId, bytes: &[u8]) -> Result<&str, Box<Diagnostic>> {
    str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let byte = bytes.get(at).copied().unwrap_or_default();
        let diagnostic = Diagnostic::at(
            Code::NC001,
            Span::new(file, at, at),
            format!("source text is not UTF-8: byte {at} is 0x{byte:02x}"),
        );
        Box::new(diagnostic.label("not UTF-8 from here on").help("save the file as UTF-8"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bad_byte_is_named() {
        assert_eq!(decode(FileId(0), "{数}".as_bytes()).unwrap(), "{数}");
        let error = decode(FileId(0), b"{a}\xff").unwrap_err();
        assert_eq!(error.message, "source text is not UTF-8: byte 3 is 0xff");
        assert_eq!(error.primary.unwrap().span.start, 3);
    }
}
