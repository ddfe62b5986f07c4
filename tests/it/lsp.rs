//! The language server as a client sees it: the real program, over its pipes.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use serde_json::{Value as Json, json};

const URI: &str = "file:///plans/%E6%95%B0.nc";

/// A client that waits for what it asked for.
struct Client {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    asked: i64,
    /// Notifications that came while something else was waited for.
    seen: Vec<Json>,
    _home: tempfile::TempDir,
}

impl Client {
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_normc"))
            .arg("lsp")
            .env("XDG_CACHE_HOME", home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (to, from) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, to, from, asked: 0, seen: Vec::new(), _home: home }
    }

    /// A client that has been introduced.
    fn ready(capabilities: &Json) -> (Self, Json) {
        let mut client = Self::start();
        let answer = client
            .ask("initialize", json!({"processId": null, "rootUri": null, "capabilities": capabilities}));
        client.tell("initialized", json!({}));
        (client, answer["result"].clone())
    }

    fn send(&mut self, message: &Json) {
        let body = message.to_string();
        let to = self.to.as_mut().unwrap();
        write!(to, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        to.flush().unwrap();
    }

    fn tell(&mut self, method: &str, params: Json) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    fn ask(&mut self, method: &str, params: Json) -> Json {
        self.asked += 1;
        let id = self.asked;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let message = self.receive();
            if message["id"] == json!(id) {
                return message;
            }
            self.seen.push(message);
        }
    }

    fn receive(&mut self) -> Json {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert!(self.from.read_line(&mut line).unwrap() > 0, "the server closed the connection");
            match line.trim().split_once(": ") {
                Some(("Content-Length", n)) => length = n.parse().unwrap(),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.from.read_exact(&mut body).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    fn open(&mut self, text: &str) -> Vec<Json> {
        let document = json!({"uri": URI, "languageId": "normcode", "version": 1, "text": text});
        self.tell("textDocument/didOpen", json!({"textDocument": document}));
        self.diagnostics(1)
    }

    fn change(&mut self, version: i64, changes: Json) -> Vec<Json> {
        let params = json!({"textDocument": {"uri": URI, "version": version}, "contentChanges": changes});
        self.tell("textDocument/didChange", params);
        self.diagnostics(version)
    }

    /// The diagnostics of a version.
    fn diagnostics(&mut self, version: i64) -> Vec<Json> {
        loop {
            let message = if self.seen.is_empty() { self.receive() } else { self.seen.remove(0) };
            if message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["version"] == json!(version)
            {
                return message["params"]["diagnostics"].as_array().unwrap().clone();
            }
        }
    }

    fn at(&mut self, method: &str, line: u32, character: u32) -> Json {
        let mut params =
            json!({"textDocument": {"uri": URI}, "position": {"line": line, "character": character}});
        if method == "textDocument/references" {
            params["context"] = json!({"includeDeclaration": true});
        }
        self.ask(method, params)["result"].clone()
    }

    fn end(mut self) -> ExitStatus {
        assert_eq!(self.ask("shutdown", Json::Null)["result"], Json::Null);
        self.tell("exit", Json::Null);
        self.child.wait().unwrap()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn codes(diagnostics: &[Json]) -> Vec<&str> {
    diagnostics.iter().map(|d| d["code"].as_str().unwrap()).collect()
}

const BROKEN: &str = "{和}\n\t<= ::(add {1} and {2})\n\t\t| %{builtin}: add\n\t<- {😀甲}<:{1}>\n\t<- {乙}<:{2}>\n\t\t<= across[{丙}]\n\t\t<- {丙}\n";

#[test]
fn diagnostics_stand_at_their_columns_and_go_when_mended() {
    let (mut client, told) = Client::ready(&json!({}));
    assert_eq!(told["capabilities"]["positionEncoding"], "utf-16");
    let found = client.open(BROKEN);
    let misspelt = found.iter().find(|d| d["code"] == "NC049").unwrap();
    assert_eq!(misspelt["range"]["start"], json!({"line": 5, "character": 5}));
    assert_eq!(misspelt["range"]["end"], json!({"line": 5, "character": 11}));
    assert!(misspelt["codeDescription"]["href"].as_str().unwrap().ends_with("/NC049.md"), "{misspelt}");

    let range = &misspelt["range"];
    let context = json!({"diagnostics": [misspelt]});
    let asked = json!({"textDocument": {"uri": URI}, "range": range, "context": context});
    let actions = client.ask("textDocument/codeAction", asked)["result"].clone();
    let quick = actions.as_array().unwrap().iter().find(|a| a["kind"] == "quickfix").unwrap();
    let edit = &quick["edit"]["changes"][URI][0];
    let left = client.change(2, json!([{"range": edit["range"], "text": edit["newText"]}]));
    assert!(!codes(&left).contains(&"NC049"), "{left:?}");
    assert!(client.end().success());
}

#[test]
fn typing_keeps_the_text_in_step() {
    let (mut client, _) = Client::ready(&json!({"general": {"positionEncodings": ["utf-16"]}}));
    client.open("{和😀}\n    <= $.({a})\n    <- {a}\n");
    // Behind the pair of surrogates, then a line of its own, then one character typed into it.
    let place = |line: u32, character: u32| json!({"line": line, "character": character});
    let at = |line, character| json!({"start": place(line, character), "end": place(line, character)});
    let changes = json!([
        {"range": at(0, 4), "text": "值"},
        {"range": at(3, 0), "text": "    <- {b\n"},
        {"range": at(3, 9), "text": "}"},
    ]);
    client.change(2, changes);
    let symbols =
        client.ask("textDocument/documentSymbol", json!({"textDocument": {"uri": URI}}))["result"].clone();
    assert_eq!(symbols[0]["name"], "{和😀值}");
    let children = symbols[0]["children"].as_array().unwrap();
    assert_eq!(
        children.iter().map(|c| c["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["$.({a})", "{a}", "{b}"]
    );
    // A change of everything.
    let found = client.change(3, json!([{"text": ""}]));
    assert_eq!(codes(&found), ["NC002"]);
    assert!(client.end().success());
}

#[test]
fn only_the_latest_text_of_a_burst_is_spoken_of() {
    let (mut client, _) = Client::ready(&json!({}));
    client.open("{a}\n    <= $.({b})\n    <- {b}\n");
    for version in 2..60 {
        let params = json!({"textDocument": {"uri": URI, "version": version}, "contentChanges": [{"text": format!("{{a{version}}}\n")}]});
        client.tell("textDocument/didChange", params);
    }
    client.tell(
        "textDocument/didChange",
        json!({"textDocument": {"uri": URI, "version": 60}, "contentChanges": [{"text": ""}]}),
    );
    // Other versions may be spoken of when this process is held up while it types, but not most of them.
    let mut spoken = 0;
    loop {
        let message = client.receive();
        spoken += 1;
        if message["params"]["version"] == json!(60) {
            assert_eq!(codes(message["params"]["diagnostics"].as_array().unwrap()), ["NC002"]);
            break;
        }
    }
    assert!(spoken < 30, "{spoken} of 59 versions were spoken of");
    assert!(client.end().success());
}

#[test]
fn questions_are_answered() {
    let (mut client, told) = Client::ready(&json!({"general": {"positionEncodings": ["utf-8", "utf-16"]}}));
    assert_eq!(told["capabilities"]["positionEncoding"], "utf-8");
    let text = "{sum}\n    <= ::(add {1})\n        | %{script_location}: scripts/add.py\n    <- {b}<:{1}>\n        <= $.({c})\n        <- {c}\n";
    client.open(text);
    let hover = client.at("textDocument/hover", 3, 8);
    let said = hover["contents"]["value"].as_str().unwrap();
    assert!(said.contains("flow index 1.2") && said.contains("given by 1.2"), "{said}");
    assert_eq!(client.at("textDocument/definition", 1, 15)[0]["range"]["start"]["line"], 3);
    let script = client.at("textDocument/definition", 2, 35);
    assert_eq!(script[0]["uri"], "file:///plans/scripts/add.py");
    assert_eq!(client.at("textDocument/references", 5, 12).as_array().unwrap().len(), 2);
    assert_eq!(client.at("textDocument/documentHighlight", 3, 8)[0]["kind"], 3);
    let folds =
        client.ask("textDocument/foldingRange", json!({"textDocument": {"uri": URI}}))["result"].clone();
    assert_eq!(folds[0], json!({"startLine": 0, "endLine": 5}));
    let offered = client.at("textDocument/completion", 5, 12);
    assert!(offered["items"].as_array().unwrap().iter().any(|item| item["label"] == "{b}"), "{offered}");
    assert!(client.end().success());
}

#[test]
fn a_plan_is_formatted_by_few_edits() {
    let (mut client, _) = Client::ready(&json!({}));
    client.open("{a}\n\t<= $.({b})\n    <- {b}\n");
    let options = json!({"textDocument": {"uri": URI}, "options": {"tabSize": 4, "insertSpaces": true}});
    let edits = client.ask("textDocument/formatting", options)["result"].clone();
    let expected = json!([{
        "range": {"start": {"line": 1, "character": 0}, "end": {"line": 2, "character": 0}},
        "newText": "    <= $.({b})\n"
    }]);
    assert_eq!(edits, expected);
    assert!(client.end().success());
}

#[test]
fn what_breaks_the_protocol_is_answered_and_survived() {
    let mut client = Client::start();
    assert_eq!(client.ask("textDocument/hover", json!({}))["error"]["code"], -32002);
    let (mut client, _) = Client::ready(&json!({}));
    assert_eq!(client.ask("textDocument/inlayHint", json!({}))["error"]["code"], -32601);
    assert_eq!(client.ask("textDocument/hover", json!({"position": 3}))["error"]["code"], -32602);
    let unopened =
        client.ask("textDocument/documentSymbol", json!({"textDocument": {"uri": "file:///other.nc"}}));
    assert_eq!(unopened["error"]["code"], -32602);
    client.tell("textDocument/didChange", json!({"textDocument": 1}));
    client.tell("$/cancelRequest", json!({"id": 99}));
    client.tell("made/up", json!(null));
    client.open("{a}\n");
    assert_eq!(client.ask("initialize", json!({"capabilities": {}}))["error"]["code"], -32600);
    client.ask("shutdown", Json::Null);
    assert_eq!(
        client.ask("textDocument/documentSymbol", json!({"textDocument": {"uri": URI}}))["error"]["code"],
        -32600
    );
    client.tell("exit", Json::Null);
    assert!(client.child.wait().unwrap().success());
}

#[test]
fn a_client_that_goes_away_ends_the_server() {
    let (mut client, _) = Client::ready(&json!({}));
    client.to = None;
    assert_eq!(client.child.wait().unwrap().code(), Some(1));
    let (mut client, _) = Client::ready(&json!({}));
    client.tell("exit", Json::Null);
    assert_eq!(client.child.wait().unwrap().code(), Some(1));
}
