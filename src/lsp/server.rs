//! The life of a server: messages in their order, documents, and when diagnostics are sent.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Duration;

use crossbeam_channel::RecvTimeoutError;
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use lsp_types::{InitializeParams, PublishDiagnosticsParams, Uri};
use serde_json::Value as Json;

use super::capabilities;
use super::document::Document;
use super::notices;
use super::pages::Pages;
use super::position::Encoding;
use super::publish;
use super::requests;
use crate::report::say;

/// How long a client must be silent before its text is looked at.
const PAUSE: Duration = Duration::from_millis(20);

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The client said so, in the way the protocol asks for.
    Properly,
    /// The client went away, or said `exit` without `shutdown`.
    Abruptly,
}

/// Where a session stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// Before `initialize`.
    New,
    /// At work.
    Running,
    /// After `shutdown`.
    ShutDown,
}

/// A session with one client.
pub(super) struct Server {
    life: Life,
    pub(super) encoding: Encoding,
    pub(super) pages: Pages,
    documents: BTreeMap<String, Document>,
    /// Documents whose diagnostics are to be sent, once no more messages wait.
    marked: BTreeMap<String, Uri>,
    to_send: Vec<Message>,
    /// Every message gets a line.
    log: bool,
}

/// Serves a client until it ends the session. Messages are handled in their order, one at a time; diagnostics are sent
/// when none waits, so that only the latest text is looked at while somebody types.
///
/// `pages` is the folder for pages of diagnostic codes; `log` is for a line a message on standard error.
pub fn serve(connection: &Connection, pages: Option<PathBuf>, log: bool) -> Ended {
    let mut server = Server {
        life: Life::New,
        encoding: Encoding::default(),
        pages: Pages::new(pages),
        documents: BTreeMap::new(),
        marked: BTreeMap::new(),
        to_send: Vec::new(),
        log,
    };
    loop {
        let message = match server.next(connection) {
            Ok(message) => message,
            Err(RecvTimeoutError::Disconnected) => return Ended::Abruptly,
            Err(RecvTimeoutError::Timeout) => {
                server.look();
                if !server.deliver(connection) {
                    return Ended::Abruptly;
                }
                continue;
            }
        };
        if let Some(ended) = server.take(message) {
            return ended;
        }
        if !server.deliver(connection) {
            return Ended::Abruptly;
        }
    }
}

impl Server {
    /// The next message. While a text waits to be looked at, only what comes at once: the next change may be on its
    /// way, and then that is the text to look at.
    fn next(&self, connection: &Connection) -> Result<Message, RecvTimeoutError> {
        if self.marked.is_empty() {
            return connection.receiver.recv().map_err(|_| RecvTimeoutError::Disconnected);
        }
        connection.receiver.recv_timeout(PAUSE)
    }

    fn take(&mut self, message: Message) -> Option<Ended> {
        match message {
            Message::Request(request) => {
                self.say(&request.method);
                let response = self.request(request);
                self.to_send.push(Message::Response(response));
                None
            }
            Message::Notification(notification) => self.notification(notification),
            // Nothing is asked of the client.
            Message::Response(_) => None,
        }
    }

    fn request(&mut self, request: Request) -> Response {
        let refuse = |code: ErrorCode, message: &str| {
            Response::new_err(request.id.clone(), code as i32, message.to_owned())
        };
        match (self.life, request.method.as_str()) {
            (Life::New, "initialize") => match notices::read::<InitializeParams>(request.params) {
                Ok(params) => {
                    let general = params.capabilities.general;
                    let offered = general.and_then(|g| g.position_encodings).unwrap_or_default();
                    self.encoding = Encoding::choose(&offered);
                    self.life = Life::Running;
                    Response::new_ok(request.id, capabilities::answer(self.encoding))
                }
                Err(error) => Response::new_err(request.id, ErrorCode::InvalidParams as i32, error),
            },
            (Life::New, _) => refuse(ErrorCode::ServerNotInitialized, "the first request is `initialize`"),
            (_, "initialize") => refuse(ErrorCode::InvalidRequest, "the session has been initialized"),
            (Life::ShutDown, _) => refuse(ErrorCode::InvalidRequest, "the session has been shut down"),
            (Life::Running, "shutdown") => {
                self.life = Life::ShutDown;
                Response::new_ok(request.id, Json::Null)
            }
            (Life::Running, _) => {
                let id = request.id.clone();
                // What goes wrong in one question must not end the session.
                let answered = catch_unwind(AssertUnwindSafe(|| requests::answer(self, request)));
                answered.unwrap_or_else(|_| {
                    let message = "a fault in normc; the request could not be answered".to_owned();
                    Response::new_err(id, ErrorCode::InternalError as i32, message)
                })
            }
        }
    }

    fn notification(&mut self, notification: Notification) -> Option<Ended> {
        self.say(&notification.method);
        if notification.method == "exit" {
            return Some(if self.life == Life::ShutDown { Ended::Properly } else { Ended::Abruptly });
        }
        if self.life == Life::Running
            && let Err(error) = notices::take(self, &notification.method, notification.params)
        {
            self.say(&format!("{}: {error}", notification.method));
        }
        None
    }

    /// The document of an address, when it is open.
    pub(super) fn document(&mut self, uri: &Uri) -> Option<&mut Document> {
        self.documents.get_mut(uri.as_str())
    }

    pub(super) fn open(&mut self, uri: Uri, document: Document) {
        self.documents.insert(uri.as_str().to_owned(), document);
        self.mark(&uri);
    }

    pub(super) fn close(&mut self, uri: &Uri) {
        self.documents.remove(uri.as_str());
        self.marked.remove(uri.as_str());
    }

    /// Has a document's diagnostics sent when no more messages wait.
    pub(super) fn mark(&mut self, uri: &Uri) {
        self.marked.insert(uri.as_str().to_owned(), uri.clone());
    }

    pub(super) fn publish(&mut self, params: PublishDiagnosticsParams) {
        let notification = Notification::new("textDocument/publishDiagnostics".to_owned(), params);
        self.to_send.push(Message::Notification(notification));
    }

    /// Looks at the documents that have changed.
    fn look(&mut self) {
        for (key, uri) in std::mem::take(&mut self.marked) {
            let Some(document) = self.documents.get_mut(&key) else { continue };
            let pages = &mut self.pages;
            let found = catch_unwind(AssertUnwindSafe(|| {
                document.analyse();
                publish::diagnostics(&uri, document, pages)
            }));
            if let Ok(params) = found {
                self.publish(params);
            }
        }
    }

    /// Sends what is to be sent; returns whether the client is still there.
    fn deliver(&mut self, connection: &Connection) -> bool {
        self.to_send.drain(..).all(|message| connection.sender.send(message).is_ok())
    }

    fn say(&self, line: &str) {
        if self.log {
            say!("normc lsp: {line}");
        }
    }
}
