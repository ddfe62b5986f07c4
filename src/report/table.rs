//! Values for people: a single value on one line, small tables with the names of the axes.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use crate::base::{Value, text_of};
use crate::tensor::{Cell, Tensor};

/// More rows or columns than this are counted, not shown.
const MOST_ROWS: usize = 40;
const MOST_COLUMNS: usize = 24;
/// Longer cells are cut in tables.
const LONGEST_CELL: usize = 48;
/// A list this long stands on one line if it fits.
const LINE: usize = 100;

/// The text of a cell: signs as their payload, truth markers as words, nothing as a dot.
pub fn cell_text(cell: &Cell) -> String {
    match cell {
        Value::Skip => "·".to_owned(),
        Value::Sign(sign) => sign.payload().to_string(),
        Value::Text(text) => match &**text {
            "%{truth value}(true)" => "true".to_owned(),
            "%{truth value}(false)" => "false".to_owned(),
            _ => text.to_string(),
        },
        Value::List(items) => format!("[{}]", items.iter().map(cell_text).collect::<Vec<_>>().join(", ")),
        Value::Map(map) => {
            let entries: Vec<String> = map.iter().map(|(k, v)| format!("{k}: {}", cell_text(v))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        other => text_of(other),
    }
}

/// A named value as lines of text, each ended. Axes of length one are left out, as they say nothing to a reader.
pub fn value_text(name: &str, tensor: &Tensor) -> String {
    let shown = tensor.core();
    let mut out = String::new();
    match shown.shape() {
        [] => {
            let cell = shown.cells().next().map(cell_text).unwrap_or_default();
            lines_after(&mut out, name, &cell);
        }
        [size] => list(&mut out, name, &shown, *size),
        shape => {
            let axes: Vec<String> =
                shown.axes().iter().zip(shape).map(|(axis, size)| format!("{axis}: {size}")).collect();
            let _ = writeln!(out, "{name}  ({})", axes.join(", "));
            slices(&mut out, &shown, "");
        }
    }
    out
}

/// `name = text`, with a text of several lines below the name.
fn lines_after(out: &mut String, name: &str, text: &str) {
    if text.contains('\n') {
        let _ = writeln!(out, "{name} =");
        for line in text.lines() {
            let _ = writeln!(out, "    {line}");
        }
    } else {
        let _ = writeln!(out, "{name} = {text}");
    }
}

fn list(out: &mut String, name: &str, tensor: &Tensor, size: usize) {
    let axis = tensor.axes().first().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(out, "{name}  ({axis}: {size})");
    let cells: Vec<String> = tensor.cells().take(MOST_ROWS * 10).map(cell_text).collect();
    let short = cells.iter().all(|c| c.width() <= 12 && !c.contains('\n'));
    if short {
        let mut line = String::from("   ");
        for cell in &cells {
            if line.width() + cell.width() + 1 > LINE {
                let _ = writeln!(out, "{line}");
                line = String::from("   ");
            }
            line.push(' ');
            line.push_str(cell);
        }
        if !cells.is_empty() {
            let _ = writeln!(out, "{line}");
        }
        more(out, size, cells.len());
    } else {
        for (i, cell) in cells.iter().take(MOST_ROWS).enumerate() {
            let _ = writeln!(out, "    {:>4}  {}", i + 1, cell.replace('\n', "\n          "));
        }
        more(out, size, cells.len().min(MOST_ROWS));
    }
}

fn more(out: &mut String, size: usize, shown: usize) {
    if size > shown {
        let _ = writeln!(out, "    ... and {} more (`--json` shows all)", size - shown);
    }
}

/// A table of the last two axes for every position of the ones before.
fn slices(out: &mut String, tensor: &Tensor, title: &str) {
    let ([axis, ..], [size, ..]) = (tensor.axes(), tensor.shape()) else { return };
    if tensor.rank() == 2 {
        table(out, tensor, title);
        return;
    }
    for position in 0..(*size).min(MOST_ROWS) {
        if let Some(slice) = tensor.at(axis, position) {
            let comma = if title.is_empty() { "" } else { ", " };
            slices(out, &slice, &format!("{title}{comma}{axis} {}", position + 1));
        }
    }
    more(out, *size, (*size).min(MOST_ROWS));
}

fn table(out: &mut String, tensor: &Tensor, title: &str) {
    let ([down, across], [rows, columns]) = (tensor.axes(), tensor.shape()) else { return };
    if !title.is_empty() {
        let _ = writeln!(out, "  {title}");
    }
    let (shown_rows, shown_columns) = ((*rows).min(MOST_ROWS), (*columns).min(MOST_COLUMNS));
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    let mut header = vec![format!("{down} \\ {across}")];
    header.extend((1..=shown_columns).map(|c| c.to_string()));
    table.set_header(header);
    for row in 0..shown_rows {
        let mut line = vec![(row + 1).to_string()];
        for column in 0..shown_columns {
            let cell = tensor.cell_at(row * columns + column).map(cell_text).unwrap_or_default();
            line.push(shorten(&cell));
        }
        table.add_row(line);
    }
    for line in table.lines().filter(|l| !l.trim().is_empty()) {
        let _ = writeln!(out, "   {}", line.trim_end());
    }
    if *columns > shown_columns {
        let _ = writeln!(out, "    ... and {} more along {across}", columns - shown_columns);
    }
    more(out, *rows, shown_rows);
}

fn shorten(text: &str) -> String {
    let line = text.replace('\n', " ");
    if line.chars().count() <= LONGEST_CELL {
        return line;
    }
    line.chars().take(LONGEST_CELL - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Axis;

    fn tensor(json: &str, axes: &[&str]) -> Tensor {
        let axes: Vec<Axis> = axes.iter().map(|a| Axis::from(*a)).collect();
        Tensor::from_data(&Value::from_plan_json(&serde_json::from_str(json).unwrap()), Some(&axes)).unwrap()
    }

    #[test]
    fn a_single_value_stands_on_its_line() {
        assert_eq!(value_text("{sum}", &tensor(r#"["%(221)"]"#, &["_none_axis"])), "{sum} = 221\n");
    }

    #[test]
    fn a_list_names_its_axis() {
        let digits = tensor(r#"[["%(1)"], ["%(2)"], ["@#SKIP#@"]]"#, &["digit", "value"]);
        assert_eq!(value_text("{sum}", &digits), "{sum}  (digit: 3)\n    1 2 ·\n");
    }

    #[test]
    fn a_table_names_both_axes() {
        let table = tensor("[[1, 2], [3, 4]]", &["row", "column"]);
        let text = value_text("{t}", &table);
        assert!(text.starts_with("{t}  (row: 2, column: 2)\n"), "{text}");
        assert!(text.contains("row \\ column"), "{text}");
        assert_eq!(text.lines().count(), 4, "{text}");
    }
}
