//! stub
use super::Exit;
use super::output::complain;
use crate::repo::ConceptId;
use crate::run::Graph;
pub(super) fn concept(graph: &Graph, name: &str) -> Result<ConceptId, Exit> {
    match crate::repo::find_concept(&graph.model, name) {
        Ok(c) => Ok(c),
        Err(e) => {
            complain(&e.message, e.help.as_deref());
            Err(Exit::NotFound)
        }
    }
}
