package main

import (
	"fmt"
	"strings"
)

// Order is about 4.6 KB of JSON with the 50 items of the benchmark.
type Order struct {
	Number   int    `json:"number"`
	Customer string `json:"customer"`
	Items    []Item `json:"items"`
}

type Item struct {
	SKU      string  `json:"sku"`
	Name     string  `json:"name"`
	Quantity int     `json:"quantity"`
	Price    float64 `json:"price"`
	Gift     bool    `json:"gift"`
}

type Receipt struct {
	Number int     `json:"number"`
	Items  int     `json:"items"`
	Total  float64 `json:"total"`
}

func placeOrder(order Order) (Receipt, error) {
	if len(order.Items) == 0 {
		return Receipt{}, fmt.Errorf("order %d has no items", order.Number)
	}
	receipt := Receipt{Number: order.Number, Items: len(order.Items)}
	for _, item := range order.Items {
		receipt.Total += float64(item.Quantity) * item.Price
	}
	return receipt, nil
}

type User struct {
	ID        int      `json:"id"`
	Name      string   `json:"name"`
	Email     string   `json:"email"`
	Age       int      `json:"age"`
	Active    bool     `json:"active"`
	Role      string   `json:"role"`
	Address   Address  `json:"address"`
	Tags      []string `json:"tags"`
	CreatedAt string   `json:"createdAt"`
}

type Address struct {
	Street   string `json:"street"`
	City     string `json:"city"`
	Postcode string `json:"postcode"`
}

// users are about 24 KB of JSON.
var users = makeUsers()

func getUsers() []User { return users }

func getUser(id int) (User, error) {
	if id < 1 || id > len(users) {
		return User{}, fmt.Errorf("no user has the id %d", id)
	}
	return users[id-1], nil
}

// makeUsers returns those that js/api.mjs has too, and that the load generator expects.
func makeUsers() []User {
	first := []string{"Ada", "Alan", "Barbara", "Dennis", "Donald", "Edsger", "Frances", "Grace", "John", "Ken"}
	last := []string{"Allen", "Backus", "Dijkstra", "Hopper", "Knuth", "Liskov", "Lovelace", "Ritchie", "Thompson", "Turing"}
	roles := []string{"admin", "editor", "reader"}
	tags := []string{"mathematics", "compilers", "languages"}
	all := make([]User, 100)
	for i := range all {
		name := first[i%10] + " " + last[i/10]
		all[i] = User{
			ID: i + 1, Name: name, Email: strings.ToLower(strings.ReplaceAll(name, " ", ".")) + "@example.com",
			Age: 20 + i%50, Active: i%3 != 0, Role: roles[i%3],
			Address: Address{Street: fmt.Sprint(i+1, " St James's Square"), City: "London", Postcode: fmt.Sprintf("SW1Y %dJH", i%10)},
			Tags:    tags[:1+i%3], CreatedAt: fmt.Sprintf("2026-01-02T03:04:%02d.000Z", i%60),
		}
	}
	return all
}
