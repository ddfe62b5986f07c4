//! Every bad plan under `plans/invalid` raises the code it is named after; the snapshot shows source, underline and help.

use std::path::{Path, PathBuf};

use crate::plans::normc;
use crate::support::snapshots;

#[test]
fn every_bad_plan_raises_its_code() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/invalid");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_file()).collect();
    files.sort();
    let mut wrong = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let code = file.file_stem().unwrap().to_string_lossy().into_owned();
        let output = normc(&folder, &["check", &name]);
        let shown = String::from_utf8_lossy(&output.stderr).into_owned();
        if !shown.contains(&format!("[{code}]")) {
            wrong.push(name.clone());
        }
        let source = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        let exit = output.status.code().unwrap_or(-1);
        snapshots("invalid")
            .bind(|| insta::assert_snapshot!(code, format!("{source}\n--- exit {exit}\n{shown}")));
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
