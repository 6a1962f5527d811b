/// The candidate a mistyped word was most likely meant to be, or nil when none is near.
///
/// Nearest is a candidate that begins with the word; near is one that at most one edit in three bytes
/// leads to. Of equally near candidates the first wins.
package func nearest(to word: String, among candidates: [String]) -> String? {
    let word = Array(word.utf8)
    guard !word.isEmpty, word.count <= 64 else { return nil }
    var best: (candidate: String, distance: Int)?
    for candidate in candidates {
        let bytes = Array(candidate.utf8)
        let distance = word.count > 1 && bytes.starts(with: word) ? 0 : edits(word, bytes)
        guard distance <= max(1, word.count / 3) else { continue }
        if let known = best, known.distance <= distance { continue }
        best = (candidate, distance)
    }
    return best?.candidate
}

/// How many single-byte insertions, deletions, replacements and swaps of neighbours turn `from`
/// into `to` (the optimal string alignment distance).
func edits(_ from: [UInt8], _ to: [UInt8]) -> Int {
    var older = [Int](repeating: 0, count: to.count + 1)
    var previous = Array(0...to.count)
    for row in from.indices {
        var current = [row + 1] + [Int](repeating: 0, count: to.count)
        for column in to.indices {
            let replaced = previous[column] + (from[row] == to[column] ? 0 : 1)
            var least = min(replaced, previous[column + 1] + 1, current[column] + 1)
            if row > 0, column > 0, from[row] == to[column - 1], from[row - 1] == to[column] {
                least = min(least, older[column - 1] + 1)
            }
            current[column + 1] = least
        }
        older = previous
        previous = current
    }
    return previous[to.count]
}
