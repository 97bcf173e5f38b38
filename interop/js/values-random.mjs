/** Random numbers that one seed and one index decide, the same in every runtime. */
export class Random {
	#a
	#b
	#c
	#d = 1

	constructor(seed, index) {
		this.#a = seed | 0
		this.#b = index | 0
		this.#c = 0x9e3779b9 | 0
		for (let i = 0; i < 12; i++) this.bits()
	}

	/** bits returns 32 random bits. */
	bits() {
		// sfc32
		const t = (((this.#a + this.#b) | 0) + this.#d) | 0
		this.#d = (this.#d + 1) | 0
		this.#a = this.#b ^ (this.#b >>> 9)
		this.#b = (this.#c + (this.#c << 3)) | 0
		this.#c = (this.#c << 21) | (this.#c >>> 11)
		this.#c = (this.#c + t) | 0
		return t >>> 0
	}

	/** below returns an integer from 0 to n-1. */
	below(n) {
		return this.bits() % n
	}

	/** chance is true in one of n cases. */
	chance(n) {
		return this.bits() % n === 0
	}

	pick(list) {
		return list[this.bits() % list.length]
	}
}
