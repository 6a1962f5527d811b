import Foundation

/// A program that counts in its memory and appends every number to a file. One that was begun anew, or
/// put back to what it was earlier, writes numbers that are there already.
struct Counting {
    /// As the host sees it.
    let file: String

    /// For a shell, which may see the file elsewhere.
    static func script(_ file: String) -> String {
        "n=0; while :; do n=$((n+1)); echo $n >> \(file); sleep 0.05; done"
    }

    private var numbers: [Int] {
        readText(file).split(separator: "\n").map { Int($0) ?? -1 }
    }

    /// Throws unless the program counts, and is still the one that began.
    func goesOn() throws {
        let before = numbers.count
        try verify(eventually { self.numbers.count > before + 3 }, "it stopped at \(before)")
        let odd = zip(numbers, 1...).first { $0 != $1 }
        try verify(
            odd == nil, "it began anew: \(odd.map { "\($0) where \($1) was due" } ?? "")")
    }
}
