;; The products of a matrix of 8-bit numbers with a vector of 16-bit numbers, exact in 32 bits.
;;
;; Rows are padded with zeros to a multiple of 16 numbers, and so is the vector. The caller keeps the
;; vector's numbers so small that no sum leaves 32 bits, so the order of the additions does not matter
;; and a plain loop gives the same results.
(module
  (import "kernel" "memory" (memory 1))

  ;; matrix, vector, results: addresses; stride: numbers of a row and of the vector, a multiple of 16
  (func (export "multiply")
    (param $matrix i32) (param $vector i32) (param $results i32)
    (param $rows i32) (param $stride i32)
    (local $end i32) (local $row_end i32) (local $place i32)
    (local $eight_bits v128) (local $even v128) (local $odd v128)
    (local.set $end
      (i32.add (local.get $matrix) (i32.mul (local.get $rows) (local.get $stride))))
    (block $done
      (loop $next_row
        (br_if $done (i32.ge_u (local.get $matrix) (local.get $end)))
        (local.set $row_end (i32.add (local.get $matrix) (local.get $stride)))
        (local.set $place (local.get $vector))
        (local.set $even (v128.const i32x4 0 0 0 0))
        (local.set $odd (v128.const i32x4 0 0 0 0))
        ;; sixteen numbers at a time: eight from each half, multiplied and added up in pairs
        (loop $next
          (local.set $eight_bits (v128.load (local.get $matrix)))
          (local.set $even
            (i32x4.add
              (local.get $even)
              (i32x4.dot_i16x8_s
                (i16x8.extend_low_i8x16_s (local.get $eight_bits))
                (v128.load (local.get $place)))))
          (local.set $odd
            (i32x4.add
              (local.get $odd)
              (i32x4.dot_i16x8_s
                (i16x8.extend_high_i8x16_s (local.get $eight_bits))
                (v128.load offset=16 (local.get $place)))))
          (local.set $matrix (i32.add (local.get $matrix) (i32.const 16)))
          (local.set $place (i32.add (local.get $place) (i32.const 32)))
          (br_if $next (i32.lt_u (local.get $matrix) (local.get $row_end))))
        (local.set $even (i32x4.add (local.get $even) (local.get $odd)))
        (i32.store
          (local.get $results)
          (i32.add
            (i32.add
              (i32x4.extract_lane 0 (local.get $even))
              (i32x4.extract_lane 1 (local.get $even)))
            (i32.add
              (i32x4.extract_lane 2 (local.get $even))
              (i32x4.extract_lane 3 (local.get $even)))))
        (local.set $results (i32.add (local.get $results) (i32.const 4)))
        (br $next_row)))))
