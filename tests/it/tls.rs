//! Models behind TLS: with a certificate that the configuration names, and with one that nobody vouches for.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use normc::faculty::llm::{Caller, ChatRequest, Config, ModelOptions, Models};
use normc::faculty::{Failure, FailureKind};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::llm_server::{Act, Stub};

/// The certificate of a server on this machine, and the authority that has signed it; both last a hundred years.
const AUTHORITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls/ca.pem");
const SERVER: &[u8] = include_bytes!("../tls/server.pem");
const KEY: &[u8] = include_bytes!("../tls/server.key");

/// How long a look for bytes of one side takes.
const LOOK: Duration = Duration::from_millis(2);

/// Speaks TLS in front of a server that does not. It serves until the process ends.
fn front(behind: SocketAddr) -> u16 {
    let chain = CertificateDer::pem_slice_iter(SERVER).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = ServerConnection::new(Arc::clone(&config)).unwrap();
            let behind = TcpStream::connect(behind).unwrap();
            thread::spawn(move || pump(StreamOwned::new(server, client), behind));
        }
    });
    port
}

/// Carries bytes both ways until one side has enough.
fn pump(mut client: StreamOwned<ServerConnection, TcpStream>, mut behind: TcpStream) -> Option<()> {
    client.sock.set_read_timeout(Some(LOOK)).ok()?;
    behind.set_read_timeout(Some(LOOK)).ok()?;
    let mut buffer = [0; 4096];
    let mut carry = |from: &mut dyn Read, to: &mut dyn Write| match from.read(&mut buffer) {
        Ok(0) => None,
        Ok(length) => to.write_all(&buffer[..length]).and_then(|()| to.flush()).ok(),
        Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut).then_some(()),
    };
    loop {
        carry(&mut client, &mut behind)?;
        carry(&mut behind, &mut client)?;
    }
}

fn ask(base_url: &str, more: &str) -> Result<String, Failure> {
    let text = format!("[providers.p]\nbase_url = \"{base_url}\"\ntries = 1\n{more}\n[models.m]\n");
    let config = Config::parse(&text, "normc.toml").unwrap().with_environment(&|_| None).unwrap();
    let models = Models::new(config, ModelOptions::default()).unwrap();
    models.chat(&ChatRequest::new("m", "hello"), &Caller::default()).map(|reply| reply.text.to_string())
}

#[test]
fn a_server_is_trusted_by_the_certificate_that_is_named() {
    let stub = Stub::of(vec![Act::Say("hello over TLS".to_owned())]);
    let port = front(stub.address());
    let trusting = format!("ca_file = \"{AUTHORITY}\"");
    for host in ["localhost", "127.0.0.1"] {
        assert_eq!(ask(&format!("https://{host}:{port}/v1"), &trusting).as_deref(), Ok("hello over TLS"));
    }
    assert_eq!(stub.seen().len(), 2);
    let failure = ask(&format!("https://localhost:{port}/v1"), "").unwrap_err();
    assert_eq!(failure.kind, FailureKind::ModelUnreachable);
    assert!(failure.message.contains("is not trusted"), "{failure}");
    assert!(failure.help.is_some_and(|help| help.contains("`ca_file`")));
    assert_eq!(stub.seen().len(), 2, "nothing was sent");
}
