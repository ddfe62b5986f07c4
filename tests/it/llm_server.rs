//! A server of chat completions that behaves as it is told, also badly. It knows nothing of the project: whoever tests
//! with it gives its address, [`Stub::url`], as a `base_url`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value as Json, json};

/// What the server does with one request.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// A chat completion with this text.
    Say(String),
    /// A chat completion with this text, finish reason and tokens of reply.
    Finish(String, &'static str, u64),
    /// Status, more header lines, body.
    Status(u16, &'static str, String),
    /// A chat completion with this text, in chunks.
    Chunked(String),
    /// Something else, later.
    After(Duration, Box<Act>),
    /// Something else when so many requests are there at once; the connection ends if they do not come.
    Together(usize, Box<Act>),
    /// The head, and half of the body that it announces.
    HalfBody,
    /// Half of a body whose length is not announced.
    HalfUnannounced,
    /// Nothing: the connection is closed.
    Close,
    /// What is no HTTP.
    NoHttp,
    /// A completion whose text has so many bytes, with its length announced or in chunks.
    Large(u64, bool),
    /// Nothing for as long as the server runs.
    Hang,
}

/// One request that came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// The line with method and path.
    pub(crate) line: String,
    /// Headers, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body; null when it is no JSON.
    pub(crate) body: Json,
}

impl Seen {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The text of the last message.
    pub(crate) fn prompt(&self) -> &str {
        let messages = self.body["messages"].as_array().map_or(&[][..], Vec::as_slice);
        messages.last().and_then(|message| message["content"].as_str()).unwrap_or("")
    }
}

type Behaviour = dyn Fn(usize, &Seen) -> Act + Send + Sync;

/// A running server; it ends when this is dropped.
pub(crate) struct Stub {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    behaviour: Box<Behaviour>,
    seen: Mutex<Vec<Seen>>,
    connections: AtomicUsize,
    stopped: AtomicBool,
    inside: Mutex<(usize, usize)>,
    changed: Condvar,
}

impl Stub {
    /// A server that decides by the number of the request, from 0, and the request.
    pub(crate) fn new(behaviour: impl Fn(usize, &Seen) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            behaviour: Box::new(behaviour),
            seen: Mutex::default(),
            connections: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
            inside: Mutex::default(),
            changed: Condvar::new(),
        });
        let accepting = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                if accepting.stopped.load(Ordering::SeqCst) {
                    break;
                }
                let (Ok(stream), shared) = (stream, accepting.clone()) else { continue };
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let serve = move || drop(shared.serve(stream));
                let _ = thread::Builder::new().stack_size(128 << 10).spawn(serve);
            }
        });
        Self { address, shared }
    }

    /// A server that does one thing after the other, and the last one for ever.
    pub(crate) fn of(acts: Vec<Act>) -> Self {
        Self::new(move |number, _| acts.get(number).or(acts.last()).cloned().unwrap_or(Act::Close))
    }

    /// A server that replies with a function of the prompt.
    pub(crate) fn replying(reply: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        Self::new(move |_, seen| Act::Say(reply(seen.prompt())))
    }

    /// Its address, as a `base_url`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// All requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// The largest number of requests that were there at once.
    pub(crate) fn most_at_once(&self) -> usize {
        self.shared.inside.lock().unwrap().1
    }

    /// Waits until so many requests are there.
    pub(crate) fn wait_for(&self, count: usize) {
        assert!(self.shared.wait_for(count), "not {count} requests came");
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        self.shared.changed.notify_all();
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn wait_for(&self, count: usize) -> bool {
        let inside = self.inside.lock().unwrap();
        let missing = |inside: &mut (usize, usize)| inside.1 < count && !self.stopped.load(Ordering::SeqCst);
        self.changed.wait_timeout_while(inside, Duration::from_secs(60), missing).unwrap().0.1 >= count
    }

    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::with_capacity(4096, stream.try_clone()?);
        let mut stream = stream;
        while let Some(seen) = read(&mut reader)? {
            let number = {
                let mut all = self.seen.lock().unwrap();
                all.push(seen.clone());
                all.len() - 1
            };
            {
                let mut inside = self.inside.lock().unwrap();
                inside.0 += 1;
                inside.1 = inside.1.max(inside.0);
            }
            self.changed.notify_all();
            let go_on = self.act((self.behaviour)(number, &seen), &mut stream);
            self.inside.lock().unwrap().0 -= 1;
            if !matches!(go_on, Ok(true)) {
                let _ = stream.shutdown(Shutdown::Both);
                return go_on.map(drop);
            }
        }
        Ok(())
    }

    /// Returns whether the connection may be used again.
    fn act(&self, act: Act, stream: &mut TcpStream) -> std::io::Result<bool> {
        match act {
            Act::Say(text) => respond(stream, 200, "", &completion(&text, "stop", 3)),
            Act::Finish(text, reason, tokens) => respond(stream, 200, "", &completion(&text, reason, tokens)),
            Act::Status(status, headers, body) => respond(stream, status, headers, &body),
            Act::Chunked(text) => {
                let head =
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
                stream.write_all(head.as_bytes())?;
                for part in completion(&text, "stop", 3).as_bytes().chunks(7) {
                    write!(stream, "{:x}\r\n", part.len())?;
                    stream.write_all(part)?;
                    stream.write_all(b"\r\n")?;
                }
                stream.write_all(b"0\r\n\r\n")?;
                Ok(true)
            }
            Act::After(time, act) => {
                thread::sleep(time);
                self.act(*act, stream)
            }
            Act::Together(count, act) => match self.wait_for(count) {
                true => self.act(*act, stream),
                false => Ok(false),
            },
            Act::HalfBody => {
                let body = completion("never whole", "stop", 3);
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len())?;
                stream.write_all(&body.as_bytes()[..body.len() / 2])?;
                Ok(false)
            }
            Act::HalfUnannounced => {
                let body = completion("never whole", "stop", 3);
                stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
                stream.write_all(&body.as_bytes()[..body.len() / 2])?;
                Ok(false)
            }
            Act::Close => Ok(false),
            Act::NoHttp => stream.write_all(b"220 mail.example ESMTP\r\n\r\n").map(|()| false),
            Act::Large(bytes, announced) => large(stream, bytes, announced),
            Act::Hang => {
                let inside = self.inside.lock().unwrap();
                let until = |_: &mut (usize, usize)| !self.stopped.load(Ordering::SeqCst);
                drop(self.changed.wait_timeout_while(inside, Duration::from_secs(60), until));
                Ok(false)
            }
        }
    }
}

/// The JSON of a chat completion.
pub(crate) fn completion(text: &str, reason: &str, tokens: u64) -> String {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "stub-1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": reason}],
        "usage": {"prompt_tokens": 7, "completion_tokens": tokens, "total_tokens": 7 + tokens},
    })
    .to_string()
}

fn respond(stream: &mut TcpStream, status: u16, headers: &str, body: &str) -> std::io::Result<bool> {
    let head = format!(
        "HTTP/1.1 {status} Stub\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    );
    // One write: a body in a packet of its own would wait for the acknowledgement of the head.
    stream.write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
    Ok(true)
}

fn large(stream: &mut TcpStream, bytes: u64, announced: bool) -> std::io::Result<bool> {
    let (before, after) = ("{\"choices\":[{\"message\":{\"content\":\"", "\"}}]}");
    let whole = bytes + before.len() as u64 + after.len() as u64;
    let length = match announced {
        true => format!("Content-Length: {whole}"),
        false => "Transfer-Encoding: chunked".to_owned(),
    };
    write!(stream, "HTTP/1.1 200 OK\r\n{length}\r\n\r\n")?;
    let mut send = |part: &[u8]| {
        if announced {
            return stream.write_all(part);
        }
        write!(stream, "{:x}\r\n", part.len())?;
        stream.write_all(part)?;
        stream.write_all(b"\r\n")
    };
    send(before.as_bytes())?;
    let block = vec![b'x'; 64 << 10];
    let mut left = bytes;
    while left > 0 {
        let part = left.min(block.len() as u64);
        send(&block[..part as usize])?;
        left -= part;
    }
    send(after.as_bytes())?;
    if !announced {
        stream.write_all(b"0\r\n\r\n")?;
    }
    Ok(true)
}

/// The next request of a connection, none at its end.
fn read(reader: &mut BufReader<TcpStream>) -> std::io::Result<Option<Seen>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, n)| n.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let body = serde_json::from_slice(&body).unwrap_or_default();
    Ok(Some(Seen { line: line.trim_end().to_owned(), headers, body }))
}
