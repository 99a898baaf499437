//! Figures beside what is wanted of them.

/// One figure, for each side that has it.
pub struct Row {
    /// What was measured, with its unit.
    pub what: &'static str,
    /// One text for each column.
    pub figures: Vec<String>,
    /// What it should be.
    pub wanted: &'static str,
    /// Whether it is.
    pub met: bool,
}

/// Prints `rows` under `title`, each with its verdict.
pub fn print(title: &str, columns: &[&str], rows: &[Row]) {
    let cells = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| format!("{text:>10}"))
            .collect::<String>()
    };
    println!("\n{title}\n\n{:<34}{}  wanted", "", cells(columns));
    for row in rows {
        let figures: Vec<&str> = row.figures.iter().map(String::as_str).collect();
        let verdict = if row.met { "met" } else { "FALLS SHORT" };
        println!(
            "{:<34}{}  {:<20}{verdict}",
            row.what,
            cells(&figures),
            row.wanted
        );
    }
}
