//! Requests of a client, each answered from the analysis of one document.

use lsp_server::{ErrorCode, Request, Response};
use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, CompletionItem, CompletionItemKind,
    CompletionList, CompletionParams, CompletionTextEdit, DocumentFormattingParams, DocumentHighlight,
    DocumentHighlightKind, DocumentHighlightParams, DocumentSymbol, DocumentSymbolParams, FoldingRange,
    FoldingRangeParams, GotoDefinitionParams, Hover, HoverContents, HoverParams, Location, MarkupContent,
    MarkupKind, Range, ReferenceParams, SymbolKind, TextEdit, Uri, WorkspaceEdit,
};
use serde_json::Value as Json;

use crate::base::{FileId, Span};
use crate::diag::Edit;
use crate::ide::{Analysis, CompletionKind, Symbol, Target, changes};
use crate::syntax::{self, Family};

use super::document::Document;
use super::notices::read;
use super::pages::{address, encoded};
use super::publish::shown;
use super::server::Server;

/// Deeper lines of an outline hang on the line of this depth: protocol and clients nest by recursion.
const DEEPEST: u32 = 60;
/// Completions that are sent at once.
const MOST_COMPLETIONS: usize = 200;

/// Answers a request.
pub(super) fn answer(server: &mut Server, request: Request) -> Response {
    let id = request.id.clone();
    let result = match request.method.as_str() {
        "textDocument/hover" => hover(server, request.params),
        "textDocument/definition" => definition(server, request.params),
        "textDocument/references" => references(server, request.params),
        "textDocument/documentHighlight" => highlights(server, request.params),
        "textDocument/documentSymbol" => symbols(server, request.params),
        "textDocument/foldingRange" => folds(server, request.params),
        "textDocument/formatting" => formatting(server, request.params),
        "textDocument/codeAction" => actions(server, request.params),
        "textDocument/completion" => completion(server, request.params),
        other => {
            let message = format!("the request `{other}` is not known here");
            return Response::new_err(id, ErrorCode::MethodNotFound as i32, message);
        }
    };
    match result {
        Ok(value) => Response::new_ok(id, value),
        Err(message) => Response::new_err(id, ErrorCode::InvalidParams as i32, message),
    }
}

type Answer = Result<Json, String>;

/// The document of a request, looked at.
fn opened<'s>(server: &'s mut Server, uri: &Uri) -> Result<(&'s Document, &'s Analysis), String> {
    let missing = || format!("{} is not open", uri.as_str());
    let document = server.document(uri).ok_or_else(missing)?;
    document.analyse();
    let document: &Document = document;
    let analysis = document.analysis().ok_or_else(missing)?;
    Ok((document, analysis))
}

fn json<T: serde::Serialize>(value: T) -> Answer {
    serde_json::to_value(value).map_err(|error| error.to_string())
}

fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

fn hover(server: &mut Server, params: Json) -> Answer {
    let asked: HoverParams = read(params)?;
    let at = asked.text_document_position_params;
    let (document, analysis) = opened(server, &at.text_document.uri)?;
    let found = analysis.hover(narrow(document.offset(at.position)));
    json(found.map(|hover| Hover {
        contents: HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value: hover.text }),
        range: Some(document.range(hover.span)),
    }))
}

fn definition(server: &mut Server, params: Json) -> Answer {
    let asked: GotoDefinitionParams = read(params)?;
    let at = asked.text_document_position_params;
    let uri = at.text_document.uri;
    let (document, analysis) = opened(server, &uri)?;
    let targets = analysis.definition(narrow(document.offset(at.position)));
    let location = |target: Target| match target {
        Target::Place(span) => Some(Location { uri: uri.clone(), range: document.range(span) }),
        Target::File(path) => Some(Location { uri: beside(&uri, &path)?, range: Range::default() }),
    };
    json(targets.into_iter().filter_map(location).collect::<Vec<_>>())
}

/// The address of a file that a plan names: relative to its folder, if not absolute.
fn beside(uri: &Uri, path: &str) -> Option<Uri> {
    if std::path::Path::new(path).is_absolute() {
        return address(path.as_ref());
    }
    let folder = uri.as_str().rsplit_once('/')?.0;
    format!("{folder}/{}", encoded(&path.replace('\\', "/"))).parse().ok()
}

fn references(server: &mut Server, params: Json) -> Answer {
    let asked: ReferenceParams = read(params)?;
    let at = asked.text_document_position;
    let uri = at.text_document.uri;
    let (document, analysis) = opened(server, &uri)?;
    let all = analysis.references(narrow(document.offset(at.position)));
    let wanted = all.into_iter().filter(|o| asked.context.include_declaration || !analysis.is_definition(o));
    json(wanted.map(|o| Location { uri: uri.clone(), range: document.range(o.span) }).collect::<Vec<_>>())
}

fn highlights(server: &mut Server, params: Json) -> Answer {
    let asked: DocumentHighlightParams = read(params)?;
    let at = asked.text_document_position_params;
    let (document, analysis) = opened(server, &at.text_document.uri)?;
    let all = analysis.references(narrow(document.offset(at.position)));
    let highlight = |o: &crate::ide::Occurrence| DocumentHighlight {
        range: document.range(o.span),
        kind: Some(match analysis.is_definition(o) {
            true => DocumentHighlightKind::WRITE,
            false => DocumentHighlightKind::READ,
        }),
    };
    json(all.iter().map(highlight).collect::<Vec<_>>())
}

fn symbols(server: &mut Server, params: Json) -> Answer {
    let asked: DocumentSymbolParams = read(params)?;
    let (document, analysis) = opened(server, &asked.text_document.uri)?;
    let mut roots = Vec::new();
    // The symbols around the present one, outermost first.
    let mut open: Vec<(u32, DocumentSymbol)> = Vec::new();
    for symbol in analysis.symbols() {
        let depth = symbol.depth.min(DEEPEST);
        close(&mut open, &mut roots, depth);
        open.push((depth, outlined(document, symbol)));
    }
    close(&mut open, &mut roots, 0);
    json(roots)
}

/// Ends all open symbols that are not around a line of this depth.
fn close(open: &mut Vec<(u32, DocumentSymbol)>, roots: &mut Vec<DocumentSymbol>, depth: u32) {
    while open.last().is_some_and(|(d, _)| *d >= depth) {
        let Some((_, symbol)) = open.pop() else { return };
        match open.last_mut() {
            Some((_, above)) => above.children.get_or_insert_default().push(symbol),
            None => roots.push(symbol),
        }
    }
}

fn outlined(document: &Document, symbol: Symbol) -> DocumentSymbol {
    let kind = match (symbol.is_function, symbol.heads) {
        (true, _) => SymbolKind::FUNCTION,
        (false, Some(Family::Judgement)) => SymbolKind::BOOLEAN,
        (false, Some(Family::Looping | Family::Grouping)) => SymbolKind::ARRAY,
        (false, Some(_)) => SymbolKind::VARIABLE,
        (false, None) => SymbolKind::CONSTANT,
    };
    // The field must be named, although it is out of use.
    #[expect(deprecated, reason = "the protocol's type has no other way to be made")]
    DocumentSymbol {
        name: symbol.name,
        detail: Some(symbol.detail),
        kind,
        tags: None,
        deprecated: None,
        range: document.range(symbol.span),
        selection_range: document.range(symbol.name_span),
        children: None,
    }
}

fn folds(server: &mut Server, params: Json) -> Answer {
    let asked: FoldingRangeParams = read(params)?;
    let (_, analysis) = opened(server, &asked.text_document.uri)?;
    let range = |fold: crate::ide::Fold| FoldingRange {
        start_line: fold.first.saturating_sub(1),
        end_line: fold.last.saturating_sub(1),
        ..FoldingRange::default()
    };
    json(analysis.folds().into_iter().map(range).collect::<Vec<_>>())
}

fn formatting(server: &mut Server, params: Json) -> Answer {
    let asked: DocumentFormattingParams = read(params)?;
    let (document, analysis) = opened(server, &asked.text_document.uri)?;
    let formatted = syntax::format(analysis.tree(), document.text());
    json(edits(document, &changes(analysis.file(), document.text(), &formatted)))
}

fn edits(document: &Document, edits: &[Edit]) -> Vec<TextEdit> {
    edits.iter().map(|e| TextEdit { range: document.range(e.span), new_text: e.text.clone() }).collect()
}

fn actions(server: &mut Server, params: Json) -> Answer {
    let asked: CodeActionParams = read(params)?;
    let uri = asked.text_document.uri;
    let only = asked.context.only;
    let wants = |kind: &CodeActionKind| {
        only.as_ref().is_none_or(|only| {
            only.iter().any(|o| {
                kind.as_str() == o.as_str() || kind.as_str().starts_with(&format!("{}.", o.as_str()))
            })
        })
    };
    // Pages are shared by all documents, documents by all requests; only one of them is borrowed at a time.
    let mut pages = std::mem::take(&mut server.pages);
    let made = opened(server, &uri).map(|(document, analysis)| {
        let mut list = Vec::new();
        if wants(&CodeActionKind::QUICKFIX) {
            let range = (document.offset(asked.range.start), document.offset(asked.range.end));
            for action in analysis.actions(narrow(range.0), narrow(range.1)) {
                let about = analysis.diagnostics().get(action.diagnostic);
                let about = about.map(|d| vec![shown(&uri, document, d, &mut pages)]);
                list.push(code_action(
                    &uri,
                    action.title,
                    CodeActionKind::QUICKFIX,
                    edits(document, &action.edits),
                    about,
                ));
            }
        }
        if wants(&CodeActionKind::SOURCE_FIX_ALL)
            && let Some(mended) = analysis.all_mended()
        {
            let all = edits(document, &changes(FileId(0), document.text(), mended));
            let title = "mend everything that can be mended".to_owned();
            list.push(code_action(&uri, title, CodeActionKind::SOURCE_FIX_ALL, all, None));
        }
        list
    });
    server.pages = pages;
    json(made?)
}

#[expect(clippy::mutable_key_type, reason = "the protocol's addresses only cache what they say")]
fn code_action(
    uri: &Uri,
    title: String,
    kind: CodeActionKind,
    edits: Vec<TextEdit>,
    about: Option<Vec<lsp_types::Diagnostic>>,
) -> CodeActionOrCommand {
    let is_preferred = (kind == CodeActionKind::QUICKFIX).then_some(true);
    let changes = std::iter::once((uri.clone(), edits)).collect();
    let edit = WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() };
    CodeActionOrCommand::CodeAction(CodeAction {
        title,
        kind: Some(kind),
        diagnostics: about,
        edit: Some(edit),
        is_preferred,
        ..CodeAction::default()
    })
}

fn completion(server: &mut Server, params: Json) -> Answer {
    let asked: CompletionParams = read(params)?;
    let at = asked.text_document_position;
    let (document, analysis) = opened(server, &at.text_document.uri)?;
    let Some((span, list)) = analysis.completions(narrow(document.offset(at.position))) else {
        return json(CompletionList::default());
    };
    let range = document.range(Span { file: analysis.file(), ..span });
    let item = |completion: crate::ide::Completion| CompletionItem {
        label: completion.text.trim_end().to_owned(),
        kind: Some(match completion.kind {
            CompletionKind::Concept => CompletionItemKind::VARIABLE,
            CompletionKind::Operator => CompletionItemKind::OPERATOR,
            CompletionKind::Key => CompletionItemKind::PROPERTY,
        }),
        detail: Some(completion.detail),
        filter_text: Some(completion.text.clone()),
        text_edit: Some(CompletionTextEdit::Edit(TextEdit { range, new_text: completion.text })),
        ..CompletionItem::default()
    };
    // What is left out is asked for again when more is typed.
    let is_incomplete = list.len() > MOST_COMPLETIONS;
    json(CompletionList { is_incomplete, items: list.into_iter().take(MOST_COMPLETIONS).map(item).collect() })
}
