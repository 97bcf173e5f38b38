package load

import (
	"fmt"
	"strconv"
	"strings"
)

// orderItems is how many items an order has.
const orderItems = 50

// Order is placeOrder of an object with 50 items of 5 members, about 4.6 KB, whose answer is an object with 3 members.
// The number of the order and a quantity differ from call to call.
func Order() Work {
	const price = 24.75 // a multiple of 0.25, as all are, so that totals are exact
	var tail strings.Builder
	rest := 0.0
	fmt.Fprintf(&tail, `,"price":%v,"gift":false}`, price)
	for i := 1; i < orderItems; i++ {
		quantity, price := 1+i%9, float64(i)+0.25*float64(i%4)
		rest += float64(quantity) * price
		fmt.Fprintf(&tail, `,{"sku":"KK-%05d","name":"Mechanical pencil, type %d","quantity":%d,"price":%v,"gift":%v}`, 10_000+7*i, i, quantity, price, i%5 == 0)
	}
	tail.WriteString(`]}`)
	const customer = `,"customer":"Ada Lovelace","items":[{"sku":"KK-10000","name":"Wireless mouse, black","quantity":`
	number := func(id uint64) uint64 { return 100_000 + id%800_000 }
	quantity := func(id uint64) uint64 { return 1 + id%9 }
	return Work{
		Method: "placeOrder",
		Args:   1,
		Arg: func(dst []byte, _ int, id uint64) []byte {
			dst = append(dst, `{"number":`...)
			dst = strconv.AppendUint(dst, number(id), 10)
			dst = append(dst, customer...)
			dst = strconv.AppendUint(dst, quantity(id), 10)
			return append(dst, tail.String()...)
		},
		Result: func(dst []byte, id uint64) []byte {
			dst = append(dst, `{"number":`...)
			dst = strconv.AppendUint(dst, number(id), 10)
			dst = append(dst, `,"items":`...)
			dst = strconv.AppendUint(dst, orderItems, 10)
			dst = append(dst, `,"total":`...)
			dst = strconv.AppendFloat(dst, rest+float64(quantity(id))*price, 'f', -1, 64)
			return append(dst, '}')
		},
		Bytes: tail.Len() + 300,
	}
}

// users is how many users there are.
const users = 100

// Users is getUsers, which answers with 100 users of 9 members each, about 24 KB.
func Users() Work {
	all := "[" + strings.Join(userTexts(), ",") + "]"
	return Work{
		Method: "getUsers",
		Result: func(dst []byte, _ uint64) []byte { return append(dst, all...) },
		Kinds:  1,
		Bytes:  200,
	}
}

// User is getUser, which answers with one of them.
func User() Work {
	all := userTexts()
	return Work{
		Method: "getUser",
		Args:   1,
		Arg:    func(dst []byte, _ int, id uint64) []byte { return strconv.AppendUint(dst, 1+id%users, 10) },
		Result: func(dst []byte, id uint64) []byte { return append(dst, all[id%users]...) },
		Kinds:  users,
		Bytes:  200,
	}
}

// userTexts are the users that the servers have, as JSON.
func userTexts() []string {
	first := []string{"Ada", "Alan", "Barbara", "Dennis", "Donald", "Edsger", "Frances", "Grace", "John", "Ken"}
	last := []string{"Allen", "Backus", "Dijkstra", "Hopper", "Knuth", "Liskov", "Lovelace", "Ritchie", "Thompson", "Turing"}
	tags := []string{`"mathematics"`, `"compilers"`, `"languages"`}
	all := make([]string, users)
	for i := range all {
		first, last := first[i%10], last[i/10]
		all[i] = fmt.Sprintf(`{"id":%d,"name":"%s %s","email":"%s.%s@example.com","age":%d,"active":%v,"role":%q,`+
			`"address":{"street":"%d St James's Square","city":"London","postcode":"SW1Y %dJH"},"tags":[%s],"createdAt":"2026-01-02T03:04:%02d.000Z"}`,
			i+1, first, last, strings.ToLower(first), strings.ToLower(last), 20+i%50, i%3 != 0, []string{"admin", "editor", "reader"}[i%3],
			i+1, i%10, strings.Join(tags[:1+i%3], ","), i%60)
	}
	return all
}
