// Calls a function of its own as often as its first argument says.
#include <stdlib.h>

__attribute__((noinline)) int probed(int value)
{
	__asm__ volatile("" : "+r"(value));
	return value + 1;
}

int main(int count, char **values)
{
	int sum = 0;

	for (int at = 0; count > 1 && at < atoi(values[1]); at++)
		sum += probed(at);
	return sum == 0;
}
