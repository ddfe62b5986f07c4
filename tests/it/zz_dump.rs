#[test]
fn zz_dump() {
    let folder = crate::corpus::own_folder();
    for plan in crate::corpus::plans(&folder) {
        let (text, tree, diagnostics) = crate::corpus::read(&plan.path).unwrap();
        let file = normc::base::SourceFile::new("x", text.as_str());
        println!("== {} {} {} {:?}", plan.file, plan.well_formed, tree.dialect.as_str(), tree.index_scheme);
        if plan.dialect != tree.dialect.as_str() {
            println!("!!dialect {} {}", plan.dialect, tree.dialect.as_str());
        }
        for d in &diagnostics {
            let s = d.primary.as_ref().unwrap().span;
            println!(
                "  {}:{} {} {} [{}]",
                file.place(s.start).line,
                d.severity.word(),
                d.code,
                d.message,
                text.get(s.start as usize..s.end as usize).unwrap()
            );
        }
        for n in &tree.nodes {
            if n.kind.as_str() == "informal" && !["draft", "natural"].contains(&plan.dialect.as_str()) {
                println!("  informal {}: {} {}", n.line, n.marker, n.text);
            }
        }
    }
}
