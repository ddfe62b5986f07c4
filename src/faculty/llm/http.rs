//! One HTTP request: sent, answered, read up to a limit, and every way in which that fails told apart. Knows no models
//! (semantics spec, section 14.8).

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::config::Config as UreqConfig;
use ureq::http::{HeaderMap, HeaderValue, Uri};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Body, BodyReader, Error, Proxy, Timeout};

/// Hundreds of calls run at once, each with its own buffers.
const BUFFER: usize = 16 << 10;

/// How long an address of a host is used before its name is looked up again.
const ADDRESS_LIFE: Duration = Duration::from_secs(30);

/// At most so much of an answer that is an error is read.
const ERROR_BODY: u64 = 64 << 10;

/// How a server is reached.
#[derive(Debug, Clone)]
pub(super) struct Ways {
    /// How long connecting may take, the look-up of the name included.
    pub(super) connect: Duration,
    /// How long a request may take as a whole.
    pub(super) whole: Duration,
    /// How many connections are kept for the next request.
    pub(super) kept: usize,
    /// The proxy of the environment is used.
    pub(super) proxy: bool,
    /// The certificates that servers are trusted by; the well-known ones when there are none here.
    pub(super) roots: Vec<Certificate<'static>>,
}

/// A client with its kept connections.
pub(super) struct Http {
    agent: Agent,
    names: Names,
    whole: Duration,
}

/// Why there is no whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Broken {
    /// No connection: the reason.
    NoConnection(String),
    /// The certificate is not accepted, or the server speaks no TLS; trying again does not help.
    NotTrusted(String),
    /// Connecting took too long.
    ConnectTimeout,
    /// The whole took too long.
    Timeout,
    /// The connection ended before the answer did.
    Closed,
    /// What came is no HTTP, or the address cannot be used.
    NoHttp(String),
}

/// An answer whose body is not read yet.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) retry_after: Option<String>,
    pub(super) date: Option<String>,
    /// Where a redirect points to.
    pub(super) location: Option<String>,
    /// How the body is packed; nothing of the kind is asked for.
    pub(super) encoding: Option<String>,
    /// How many bytes the server says there are.
    length: Option<u64>,
    /// The server says where the body ends, so one that ends early is known to be broken.
    framed: bool,
    body: Body,
}

impl Http {
    pub(super) fn new(ways: Ways) -> Self {
        let names = Names::default();
        let roots = if ways.roots.is_empty() { RootCerts::WebPki } else { RootCerts::from(ways.roots) };
        let tls = TlsConfig::builder().root_certs(roots).build();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(if ways.proxy { Proxy::try_from_env() } else { None })
            .user_agent(concat!("normc/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(ways.connect))
            .timeout_connect(Some(ways.connect))
            .timeout_global(Some(ways.whole))
            .input_buffer_size(BUFFER)
            .output_buffer_size(BUFFER)
            .max_idle_connections(ways.kept)
            .max_idle_connections_per_host(ways.kept)
            .tls_config(tls)
            .build();
        let agent = Agent::with_parts(config, DefaultConnector::default(), names.clone());
        Self { agent, names, whole: ways.whole }
    }

    /// Sends JSON and waits for the beginning of the answer.
    pub(super) fn post(
        &self,
        url: &str,
        headers: &HeaderMap<HeaderValue>,
        body: &[u8],
        time: Duration,
    ) -> Result<Answer, Broken> {
        let mut request = self.agent.post(url).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        // Settings of one request cost a little; most have no deadline nearer than their provider's own.
        let sent = match time < self.whole {
            true => request.config().timeout_global(Some(time)).build().send(body),
            false => request.send(body),
        };
        let response = sent.map_err(|error| {
            let broken = broken(error);
            if matches!(broken, Broken::NoConnection(_) | Broken::ConnectTimeout) {
                self.names.forget();
            }
            broken
        })?;
        let (parts, body) = response.into_parts();
        let header =
            |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let length = header("content-length").and_then(|length| length.trim().parse().ok());
        Ok(Answer {
            status: parts.status.as_u16(),
            retry_after: header("retry-after"),
            date: header("date"),
            location: header("location"),
            encoding: header("content-encoding").filter(|form| !form.trim().eq_ignore_ascii_case("identity")),
            framed: length.is_some() || header("transfer-encoding").is_some(),
            length,
            body,
        })
    }

    /// Ends all requests now, and takes no more.
    pub(super) fn shut(&self) {
        self.agent.clone().shutdown();
    }
}

impl Answer {
    /// The first part of the body, for an answer that is an error; what cannot be read is left out.
    pub(super) fn error_text(self) -> String {
        let mut bytes = Vec::new();
        if self.encoding.is_some() {
            return String::new();
        }
        let _ = self.body.into_reader().take(ERROR_BODY).read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The body as a reader of at most so many bytes, none when the server says that there are more.
    pub(super) fn reader(self, limit: u64) -> Option<Reading> {
        if self.length.is_some_and(|length| length > limit) {
            return None;
        }
        let source = Limited {
            source: self.body.into_reader(),
            left: limit,
            head: Vec::new(),
            over: false,
            broken: None,
            ended: false,
        };
        Some(Reading { source: BufReader::with_capacity(BUFFER, source), framed: self.framed })
    }
}

/// A body that is being read.
pub(super) struct Reading {
    source: BufReader<Limited>,
    framed: bool,
}

struct Limited {
    source: BodyReader<'static>,
    left: u64,
    /// The first bytes, to show what came.
    head: Vec<u8>,
    over: bool,
    broken: Option<Broken>,
    ended: bool,
}

/// What became of a body when reading was over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    /// It was read to its end.
    Whole,
    /// It is larger than the limit.
    TooLarge,
    /// It broke off.
    Broken(Broken),
}

impl Reading {
    /// Reads what is left without keeping it, and tells how the body ended. An end that the server did not announce is
    /// as good as any, so the caller says by `complete` whether all that is needed had come.
    pub(super) fn finish(mut self, complete: bool) -> (Ended, String) {
        let _ = io::copy(&mut self.source, &mut io::sink());
        let inner = self.source.into_inner();
        let head = String::from_utf8_lossy(&inner.head).into_owned();
        let ended = match inner.broken {
            Some(broken) => Ended::Broken(broken),
            None if inner.over => Ended::TooLarge,
            None if !complete && !self.framed => Ended::Broken(Broken::Closed),
            None => Ended::Whole,
        };
        (ended, head)
    }
}

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.source.read(buffer)
    }
}

impl Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        const HEAD: usize = 1024;
        if self.ended {
            return Ok(0);
        }
        let found = self.source.read(buffer);
        let count = match found {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                self.ended = true;
                self.broken = Some(broken(Error::from(error)));
                return Err(io::Error::other("the body broke off"));
            }
        };
        self.ended = count == 0;
        if count as u64 > self.left {
            (self.ended, self.over) = (true, true);
            return Err(io::Error::other("the body is too large"));
        }
        self.left -= count as u64;
        let wanted = HEAD.saturating_sub(self.head.len()).min(count);
        self.head.extend_from_slice(buffer.get(..wanted).unwrap_or(&[]));
        Ok(count)
    }
}

/// What an error of the client means. Its own text may hold the address, and with it a key, so it is not passed on.
fn broken(error: Error) -> Broken {
    match error {
        Error::Timeout(Timeout::Connect | Timeout::Resolve) => Broken::ConnectTimeout,
        Error::Timeout(_) => Broken::Timeout,
        Error::HostNotFound => Broken::NoConnection("its host is not known".to_owned()),
        Error::ConnectionFailed => Broken::NoConnection("the connection failed".to_owned()),
        Error::ConnectProxyFailed(_) | Error::InvalidProxyUrl => {
            Broken::NoConnection("the proxy of the environment does not let it through".to_owned())
        }
        Error::Tls(words) => Broken::NotTrusted(words.to_owned()),
        Error::TlsRequired => Broken::NotTrusted("it speaks no TLS".to_owned()),
        Error::Rustls(error) => Broken::NotTrusted(error.to_string()),
        Error::Io(error) => match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Broken::Closed,
            io::ErrorKind::ConnectionRefused => Broken::NoConnection("the connection is refused".to_owned()),
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Broken::Timeout,
            // rustls wraps its errors in those of streams.
            io::ErrorKind::InvalidData => Broken::NotTrusted(error.to_string()),
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                Broken::NoConnection("its network is not reached".to_owned())
            }
            _ if error.to_string().contains("lookup") => {
                Broken::NoConnection("its host is not known".to_owned())
            }
            kind => Broken::NoConnection(kind.to_string()),
        },
        Error::LargeResponseHeader(..) => Broken::NoHttp("the head of its answer is too large".to_owned()),
        Error::Protocol(_) => Broken::NoHttp("it does not answer in HTTP".to_owned()),
        Error::BodyStalled => Broken::Closed,
        Error::BadUri(_) | Error::Http(_) => Broken::NoHttp("its address cannot be used".to_owned()),
        _ => Broken::NoConnection("the connection failed".to_owned()),
    }
}

/// Addresses by host, so that hundreds of calls look a name up once: each look-up takes a thread of its own.
#[derive(Clone, Default)]
struct Names {
    known: Arc<Mutex<BTreeMap<String, (Instant, ResolvedSocketAddrs)>>>,
}

impl Names {
    fn forget(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names")
    }
}

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &Uri,
        config: &UreqConfig,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let key = format!("{:?} {:?}", uri.scheme_str(), uri.authority());
        // Held while the name is looked up: the others want the same answer.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, addresses)) = known.get(&key)
            && since.elapsed() < ADDRESS_LIFE
        {
            return Ok(addresses.clone());
        }
        let found = DefaultResolver::default().resolve(uri, config, timeout)?;
        known.insert(key, (Instant::now(), found.clone()));
        Ok(found)
    }
}
