package outbox

import "runtime"

// Flush sends everything that waits, without blocking. The reading goroutine calls it.
func (o *Outbox) Flush() {
	if o.begin() {
		o.drain()
	}
}

// FlushSoon is Flush for all other goroutines. It yields once, so that others can add to the same write.
func (o *Outbox) FlushSoon() {
	o.mu.Lock()
	yields := o.yieldsLocked()
	o.mu.Unlock()
	if yields {
		o.yield()
	}
}

// yieldsLocked reports whether its caller is to call yield, as what waits has no writer yet.
func (o *Outbox) yieldsLocked() bool {
	if o.writing || o.yielding || o.phase == shut || len(o.waiting) == 0 {
		return false
	}
	o.yielding = true
	return true
}

// yield lets other goroutines add to what waits, and writes it. Its caller is not the writer before that: others must not
// wait for a goroutine that is not scheduled. So the reading goroutine may have written everything meanwhile.
func (o *Outbox) yield() {
	runtime.Gosched()
	o.mu.Lock()
	o.yielding = false
	writes := !o.writing && o.phase != shut && o.takeLocked()
	o.writing = o.writing || writes
	o.mu.Unlock()
	if writes {
		o.drainTaken()
	}
}

// begin makes its caller the writer. It reports false if there is one already, or nothing to write.
func (o *Outbox) begin() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.beginLocked()
}

func (o *Outbox) beginLocked() bool {
	if o.writing || o.phase == shut || len(o.waiting) == 0 {
		return false
	}
	o.writing = true
	return true
}

// maxDrained is how many times drain writes before another goroutine goes on.
const maxDrained = 16

// drain writes everything that waits and ends the turn of the writer, which is its caller. It does not block. Another
// goroutine goes on where the transport would block, and while messages come as fast as they are written, so that its
// caller can go on reading or turn to the next connection.
func (o *Outbox) drain() {
	if o.take() {
		o.drainTaken()
	}
}

// drainTaken is drain for a caller that has taken what waits.
func (o *Outbox) drainTaken() {
	w, ok := o.Writer.(TryWriter)
	if !ok {
		go o.writeBlocking() // ends when nothing waits or the connection closes
		return
	}
	for range maxDrained {
		done, err := w.TryWriteFrames(o.frames)
		left := o.release()
		if err != nil {
			o.written(left)
			go o.Owner.Lost(err) // it may wait for a lock that a sender holds
			return
		}
		if !done {
			go o.drainRest(left) // ends when nothing waits or the connection closes
			return
		}
		o.written(left)
		if !o.take() {
			return
		}
	}
	go o.writeBlocking() // ends when nothing waits or the connection closes
}

// drainRest sends the messages that TryWriteFrames kept, then everything that waits.
func (o *Outbox) drainRest(left share) {
	err := o.Writer.WriteFrames(nil)
	o.written(left)
	if err != nil {
		o.Owner.Lost(err)
		return
	}
	if o.take() {
		o.writeBlocking()
	}
}

// drainBlocking is drain for a goroutine that may block.
func (o *Outbox) drainBlocking() {
	if o.take() {
		o.writeBlocking()
	}
}

// writeBlocking is drainTaken for a goroutine that may block.
func (o *Outbox) writeBlocking() {
	for more := true; more; more = o.take() {
		err := o.Writer.WriteFrames(o.frames)
		o.written(o.release())
		if err != nil {
			o.Owner.Lost(err)
			return
		}
	}
}

// take moves what waits to frames. If nothing does, the turn of the writer ends and take reports false.
func (o *Outbox) take() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.takeLocked() {
		return true
	}
	o.writing = false
	if o.idle != nil {
		close(o.idle)
		o.idle = nil
	}
	return false
}

// takeLocked is take for a caller that becomes the writer with it.
func (o *Outbox) takeLocked() bool {
	if len(o.waiting) == 0 {
		return false
	}
	o.batch, o.waiting = o.waiting, o.batch[:0]
	o.frames = o.frames[:0]
	for _, b := range o.batch {
		from := 0
		for _, end := range b.ends {
			o.frames = append(o.frames, b.Bytes[from:end])
			from = end
		}
		if from == 0 {
			o.frames = append(o.frames, b.Bytes)
		}
	}
	return true
}

// share is how many bytes a batch has of everything that is counted.
type share struct{ bytes, forced, backlog int }

// release frees the buffers of take and returns what they held.
func (o *Outbox) release() (left share) {
	for i, b := range o.batch {
		n := len(b.Bytes)
		left.bytes += n
		switch b.room {
		case roomForced:
			left.forced += n
		case roomBacklog:
			left.backlog += n
		}
		b.Free()
		o.batch[i] = nil
	}
	o.batch = o.batch[:0]
	clear(o.frames)
	return left
}

// written accounts for bytes that have left, or that never will.
func (o *Outbox) written(left share) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.forced -= left.forced
	o.backlog -= left.backlog
	o.shrinkLocked(left.bytes)
}
