//! Figures beside what is wanted of them.

/// One figure, for each side that has it.
pub struct Row {
    /// What was measured, with its unit.
    pub what: &'static str,
    /// One text for each column.
    pub figures: Vec<String>,
    /// What it should be, and whether it is; nothing for a figure that explains another.
    pub wanted: Option<(&'static str, bool)>,
}

/// Prints `rows` under `title`, each with its verdict.
pub fn print(title: &str, columns: &[&str], rows: &[Row]) {
    let cells = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| format!("{text:>12}"))
            .collect::<String>()
    };
    println!("\n{title}\n\n{:<34}{}  wanted", "", cells(columns));
    for row in rows {
        let figures: Vec<&str> = row.figures.iter().map(String::as_str).collect();
        let verdict = match row.wanted {
            Some((wanted, true)) => format!("  {wanted:<20}met"),
            Some((wanted, false)) => format!("  {wanted:<20}FALLS SHORT"),
            None => String::new(),
        };
        println!("{:<34}{}{verdict}", row.what, cells(&figures));
    }
}
