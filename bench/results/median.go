package results

import (
	"slices"
	"time"
)

// Starved tells whether the generator could not give the server enough to do.
func (s Sample) Starved() bool { return s.Generator > 0.95 && s.Server < 0.90 }

// Cost is what ratios compare.
func (s Sample) Cost() float64 {
	switch {
	case s.Bytes != 0:
		return s.Bytes
	case s.Resident != 0:
		return s.Resident
	default:
		return s.CPU
	}
}

// Name is that of the peer and the dialect.
func (r *Row) Name() string { return r.Peer + " " + r.Dialect }

// Median is that of each number, and the spread of the cost: half of what lies between the lowest and the highest, as a
// share of the median. There has to be a sample.
func (r *Row) Median() (m Sample, spread float64) {
	of := func(get func(Sample) float64) float64 { return Median(r.Samples, get) }
	m = Sample{
		CPU:       of(func(s Sample) float64 { return s.CPU }),
		Rate:      of(func(s Sample) float64 { return s.Rate }),
		P50:       time.Duration(of(func(s Sample) float64 { return float64(s.P50) })),
		P90:       time.Duration(of(func(s Sample) float64 { return float64(s.P90) })),
		P99:       time.Duration(of(func(s Sample) float64 { return float64(s.P99) })),
		P999:      time.Duration(of(func(s Sample) float64 { return float64(s.P999) })),
		Server:    of(func(s Sample) float64 { return s.Server }),
		Generator: of(func(s Sample) float64 { return s.Generator }),
		Others:    of(func(s Sample) float64 { return s.Others }),
		Parsed:    of(func(s Sample) float64 { return s.Parsed }),
		Bytes:     of(func(s Sample) float64 { return s.Bytes }),
		Resident:  of(func(s Sample) float64 { return s.Resident }),
		Collected: of(func(s Sample) float64 { return s.Collected }),
	}
	for _, s := range r.Samples {
		if s.Note != "" {
			m.Note = s.Note
		}
	}
	low, high := r.Samples[0].Cost(), r.Samples[0].Cost()
	for _, s := range r.Samples {
		low, high = min(low, s.Cost()), max(high, s.Cost())
	}
	if cost := m.Cost(); cost > 0 {
		spread = (high - low) / 2 / cost
	}
	return m, spread
}

// Median is that of a number of each sample.
func Median(samples []Sample, get func(Sample) float64) float64 {
	var values []float64
	for _, s := range samples {
		values = append(values, get(s))
	}
	slices.Sort(values)
	return Middle(values)
}

// Middle is the median of numbers in ascending order.
func Middle(sorted []float64) float64 {
	mid := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[mid]
	}
	return (sorted[mid-1] + sorted[mid]) / 2
}
