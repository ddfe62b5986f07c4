//! Notifications of a client: documents opened, changed, closed.

use lsp_types::{
    DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
    PublishDiagnosticsParams,
};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::document::Document;
use super::server::Server;

/// Takes a notification in. What is not known is passed over, as the protocol wants it.
///
/// # Errors
/// When its parameters do not have their shape.
pub(super) fn take(server: &mut Server, method: &str, params: Json) -> Result<(), String> {
    match method {
        "textDocument/didOpen" => {
            let opened: DidOpenTextDocumentParams = read(params)?;
            let given = opened.text_document;
            let key = given.uri.as_str().to_owned();
            let name = decoded(key.rsplit('/').next().unwrap_or("plan"));
            let document = Document::new(&name, given.version, given.text, server.encoding);
            server.open(given.uri, document);
        }
        "textDocument/didChange" => {
            let changed: DidChangeTextDocumentParams = read(params)?;
            let (id, changes) = (changed.text_document, changed.content_changes);
            let Some(document) = server.document(&id.uri) else {
                return Err(format!("{} was changed, but is not open", id.uri.as_str()));
            };
            document.change(id.version, changes);
            server.mark(&id.uri);
        }
        "textDocument/didClose" => {
            let closed: DidCloseTextDocumentParams = read(params)?;
            let uri = closed.text_document.uri;
            server.close(&uri);
            server.publish(PublishDiagnosticsParams { uri, diagnostics: Vec::new(), version: None });
        }
        _ => {}
    }
    Ok(())
}

/// Parameters in their shape.
pub(super) fn read<T: DeserializeOwned>(params: Json) -> Result<T, String> {
    serde_json::from_value(params).map_err(|error| error.to_string())
}

/// A piece of an address without its escapes; as it is when they are no text.
fn decoded(piece: &str) -> String {
    let mut bytes = Vec::with_capacity(piece.len());
    let mut rest = piece.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).filter(|_| *first == b'%').and_then(|h| std::str::from_utf8(h).ok());
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| piece.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_out_of_addresses() {
        assert_eq!(decoded("a%20b%E6%95%B0.ncds"), "a b数.ncds");
        assert_eq!(decoded("100%.nc"), "100%.nc");
        assert_eq!(decoded("%ff.nc"), "%ff.nc");
    }
}
