import { type FormEvent, useCallback, useEffect, useState } from "react"
import type { API, Note } from "./api.gen.ts"
import { useServer } from "./useServer.ts"

export function Board() {
	const server = useServer("/ws")
	if (!server) return null
	const { phase, reason } = server.state
	return (
		<main>
			<h1>Notes</h1>
			<p role="status">
				{phase}
				{reason && `: ${reason.message}`}
			</p>
			<Notes key={server.round} api={server.api} />
		</main>
	)
}

function Notes({ api }: { api: API }) {
	const [notes, setNotes] = useState<Note[]>([])
	const [problem, setProblem] = useState("")

	const show = useCallback((more: Note[]) => setNotes((notes) => merge(notes, more)), [])
	const onNote = useCallback((note: Note) => show([note]), [show]) // one function for all calls of follow

	useEffect(() => {
		let shown = true
		api.follow(onNote).then(
			(notes) => {
				show(notes)
				if (shown) setProblem("")
			},
			(error: Error) => shown && setProblem(error.message)
		)
		return () => {
			shown = false
			api.unfollow().catch(() => {}) // the connection may have closed, which is as good
		}
	}, [api, onNote, show])

	async function add(event: FormEvent<HTMLFormElement>) {
		event.preventDefault()
		const form = event.currentTarget
		try {
			await api.add(String(new FormData(form).get("text")))
			form.reset()
			setProblem("")
		} catch (error) {
			setProblem((error as Error).message) // perhaps the connection has closed
		}
	}

	return (
		<>
			<ul>
				{notes.map(({ id, text }) => (
					<li key={id}>{text}</li>
				))}
			</ul>
			<form onSubmit={add}>
				<input name="text" aria-label="Note" autoFocus />
				<button type="submit">Add</button>
			</form>
			<p role="alert">{problem}</p>
		</>
	)
}

/** A note may come twice: with the answer of follow, and by itself. */
function merge(notes: Note[], more: Note[]): Note[] {
	const byID = new Map([...notes, ...more].map((note) => [note.id, note]))
	return [...byID.values()].sort((a, b) => a.id - b.id)
}
