//! The product on every instruction set of this machine against plain loops, over buffers that end at a page that faults.

use super::*;

/// A number generator (xorshift).
struct Choices(u64);

impl Choices {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % n
    }

    /// Small multiples of ¼, so that sums are exact in any order and any precision.
    fn number<T: Real>(&mut self) -> T {
        T::from_f64(self.below(17) as f64 / 4.0 - 2.0)
    }
}

/// Elements whose last one is followed, or whose first one is preceded, by a page that may not be touched.
struct Guarded<T> {
    map: *mut libc::c_void,
    bytes: usize,
    first: *mut T,
    len: usize,
}

impl<T: Real> Guarded<T> {
    fn new(len: usize, at_end: bool, mut value: impl FnMut() -> T) -> Self {
        // SAFETY: plain system calls on a fresh mapping; the elements lie inside its accessible part.
        unsafe {
            let page = usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)).unwrap();
            let inner = (len * size_of::<T>()).next_multiple_of(page);
            let bytes = inner + 2 * page;
            let map =
                libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0);
            assert!(map != libc::MAP_FAILED);
            let start = map.cast::<u8>().add(page);
            assert_eq!(libc::mprotect(map, page, libc::PROT_NONE), 0);
            assert_eq!(libc::mprotect(start.add(inner).cast(), page, libc::PROT_NONE), 0);
            let first = start.add(if at_end { inner - len * size_of::<T>() } else { 0 }).cast::<T>();
            for i in 0..len {
                first.add(i).write(value());
            }
            Self { map, bytes, first, len }
        }
    }

    fn slice(&self) -> &[T] {
        // SAFETY: written in `new`.
        unsafe { std::slice::from_raw_parts(self.first, self.len) }
    }

    fn slice_mut(&mut self) -> &mut [T] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.first, self.len) }
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        // SAFETY: mapped in `new`.
        unsafe { libc::munmap(self.map, self.bytes) };
    }
}

fn instruction_sets() -> impl Iterator<Item = Isa> {
    [Isa::Portable, Isa::Avx2, Isa::Avx512].into_iter().filter(|isa| *isa <= Isa::best())
}

/// One product of random shape, as a matrix or through a table.
fn one<T: Real>(isa: Isa, c: &mut Choices) {
    let small = |c: &mut Choices, large: usize| if c.below(8) == 0 { 1 + c.below(large) } else { c.below(12) };
    let (rows, columns) = (small(c, 150), small(c, 130));
    let tabled = c.below(2) == 0;
    let (taps, depth) = if tabled { (c.below(6), c.below(20)) } else { (1, small(c, 600)) };
    let (terms, at_end, add) = (taps * depth, c.below(2) == 0, c.below(2) == 0);
    let step = if tabled { 1 } else { 1 + c.below(3) };

    let packing = Packing::of::<T>(isa, terms, columns);
    let (pace, start) = (1 + c.below(2), c.below(4));
    let w = Guarded::new(start + terms * columns * pace, true, || c.number::<T>());
    let mut packed = Guarded::new(packing.len(), at_end, || T::NAN);
    packing.pack(w.slice(), |term| start + term * columns * pace, pace, packed.slice_mut());

    let spread = 1 + c.below(3);
    let x_len = if tabled { 40 + depth } else { rows.max(1) * (terms * step + spread) };
    let x = Guarded::new(x_len, at_end, || c.number::<T>());
    let offsets: Vec<usize> = (0..rows * taps).map(|_| if c.below(4) == 0 { NOWHERE } else { c.below(x_len - depth + 1) }).collect();
    let zeros = vec![T::ZERO; depth];
    let table = Table::new(&offsets, taps, &zeros);
    let matrix = Matrix { start: 0, row: (terms * step + spread) as isize, column: step as isize };
    let mut starts: Vec<usize> = (0..rows).map(|row| row * (columns + spread)).collect();
    starts.reverse();
    let out_len = rows.max(1) * (columns + spread) - spread;
    let mut out = Guarded::new(out_len, at_end, || c.number::<T>());
    let before = out.slice().to_vec();

    // A table without taps does not know its rows.
    let rows = if tabled && taps == 0 { 0 } else { rows };
    let starts = &starts[starts.len() - rows..];
    let left = if tabled { Left::Table(x.slice(), table) } else { Left::Matrix(x.slice(), matrix, rows) };
    product(left, Right { packing: &packing, data: packed.slice() }, out.slice_mut(), Starts::Each(starts), add);

    let mut expected: Vec<f64> = before.iter().map(|x| x.to_f64()).collect();
    for row in 0..rows {
        for n in 0..columns {
            let y = &mut expected[starts[row] + n];
            *y = if add { *y } else { 0.0 };
            for (tap, d) in (0..taps).flat_map(|tap| (0..depth).map(move |d| (tap, d))) {
                let from = if tabled { offsets[row * taps + tap] } else { row * (terms * step + spread) };
                if from != NOWHERE {
                    let weight = w.slice()[start + ((tap * depth + d) * columns + n) * pace];
                    *y += x.slice()[from + d * step].to_f64() * weight.to_f64();
                }
            }
        }
    }
    for (at, (got, expected)) in out.slice().iter().zip(&expected).enumerate() {
        assert!(got.to_f64() == *expected, "{isa:?} {rows} × {taps}·{depth} × {columns}, element {at}: {got:?}, not {expected}");
    }
}

#[test]
fn every_instruction_set_stays_inside_and_is_right() {
    // Under an interpreter of machine code a few shapes must do.
    let shapes = std::env::var("LATLAS_SHAPES").ok().and_then(|n| n.parse().ok()).unwrap_or(1500);
    for isa in instruction_sets() {
        let mut c = Choices(0x9e37_79b9_7f4a_7c15);
        for _ in 0..shapes {
            one::<f32>(isa, &mut c);
            one::<f64>(isa, &mut c);
        }
    }
}

#[test]
fn the_rows_beside_a_row_do_not_change_it() {
    for isa in instruction_sets() {
        let (rows, terms, columns) = (13, 700, 100);
        let mut c = Choices(7);
        let w: Vec<f32> = (0..terms * columns).map(|_| c.below(1000) as f32 * 1e-3).collect();
        let x: Vec<f32> = (0..rows * terms).map(|_| c.below(1000) as f32 * 1e-3).collect();
        let packing = Packing::of::<f32>(isa, terms, columns);
        let packed = Packed::new(packing, &w, |term| term * columns, 1);
        let mut together = vec![0.0; rows * columns];
        let matrix = Matrix::row_major(0, terms);
        product(Left::Matrix(&x, matrix, rows), packed.right(), &mut together, Starts::Even(0, columns as isize), false);
        let mut alone = vec![0.0; rows * columns];
        for row in 0..rows {
            let matrix = Matrix { start: row * terms, ..matrix };
            product(Left::Matrix(&x, matrix, 1), packed.right(), &mut alone, Starts::Even(row * columns, columns as isize), false);
        }
        assert_eq!(together, alone, "{isa:?}");
    }
}

#[test]
#[should_panic(expected = "reaches outside")]
fn a_result_outside_its_slice_is_refused() {
    let packed = Packed::new(Packing::new::<f64>(2, 3), &[1.0; 6], |term| term * 3, 1);
    product(Left::Matrix(&[1.0; 4], Matrix::row_major(0, 2), 2), packed.right(), &mut [0.0; 5], Starts::Even(0, 3), false);
}
