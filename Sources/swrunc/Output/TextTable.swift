/// Columns of text as runc prints them: at least 12 wide, with at least 3 blanks between, the last
/// one as it is. Scripts cut runc's lists at these places.
struct TextTable {
    private var rows: [[String]]

    init(header: [String]) {
        rows = [header]
    }

    /// Adds a row with as many cells as the header.
    mutating func append(_ row: [String]) {
        rows.append(row.map(printable))
    }

    /// The table with a line end after each row.
    var text: String {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                let width = max(12, cell.unicodeScalars.count + 3)
                if column == widths.count { widths.append(width) }
                widths[column] = max(widths[column], width)
            }
        }
        var text = ""
        for row in rows {
            for (column, cell) in row.enumerated() {
                text += cell
                guard column < row.count - 1 else { continue }
                text += String(repeating: " ", count: widths[column] - cell.unicodeScalars.count)
            }
            text += "\n"
        }
        return text
    }
}
